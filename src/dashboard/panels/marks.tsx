/** What our own code noted on an arrival: signatures, problems and anomalies, each with the place that it is about. */
import type { Schemas } from '../client.ts'
import { Panel } from '../parts/page.tsx'
import { Said } from '../parts/said.tsx'
import { Table, type Column } from '../parts/table.tsx'

export function Proof({ submission }: { submission: Schemas['Submission'] }) {
  if (submission.dkim.length === 0)
    return (
      <Panel title="DKIM">
        <p class="quiet">
          No signature:{' '}
          {submission.transport === 'https' ? 'HTTPS proves nothing about who reports.' : 'nobody stands behind it.'}
        </p>
      </Panel>
    )
  return (
    <Panel title="DKIM">
      <Table
        caption="DKIM signatures, as of the day of arrival"
        quietCaption
        rows={submission.dkim}
        rowKey={(_, place) => String(place)}
        columns={[
          { head: 'Result', whole: true, cell: (row) => row.result },
          { head: 'Domain', cell: (row) => <Said text={row.domain} /> },
          { head: 'Selector', cell: (row) => <Said text={row.selector} /> },
          { head: 'Algorithm', cell: (row) => <Said text={row.algorithm} /> },
          { head: 'Bits', numeric: true, cell: (row) => row.key_bits ?? '–' },
          {
            head: 'Why not',
            cell: (row) => [row.reason, ...row.unacceptable].filter((word) => word !== undefined).join(', ') || '–',
          },
        ]}
      />
    </Panel>
  )
}

type Mark = { code: string; pointer: string }

const where: Column<Mark>[] = [
  { head: 'Code', cell: (row) => row.code },
  {
    head: 'Where',
    cell: (row) => (
      <code>
        <Said text={row.pointer} />
      </code>
    ),
  },
]

export function Anomalies({ anomalies }: { anomalies: Mark[] }) {
  if (anomalies.length === 0) return null
  return (
    <Panel title="Anomalies" question="Repairs made, and oddities seen.">
      <Table caption="Anomalies" quietCaption rows={anomalies} rowKey={(_, place) => String(place)} columns={where} />
    </Panel>
  )
}

export function Problems({ problems }: { problems: (Mark & { message: string })[] }) {
  if (problems.length === 0) return null
  return (
    <Panel title="Why it was refused">
      <Table
        caption="Problems"
        quietCaption
        rows={problems}
        rowKey={(_, place) => String(place)}
        columns={[{ head: 'Problem', cell: (row) => <Said text={row.message} /> }, ...where]}
      />
    </Panel>
  )
}
