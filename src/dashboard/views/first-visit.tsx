/** Before the first report: what to publish, when to expect one, and a way to see the road at work. */
import { useRef, useState } from 'preact/hooks'
import { api, Refused, told, type Schemas } from '../client.ts'
import { Failed, Show, useLoad } from '../load.tsx'
import { Copyable } from '../parts/copy.tsx'
import { SelfTest } from '../panels/self-test.tsx'
import { Panel } from '../parts/page.tsx'
import { useAsked } from '../asked.tsx'
import { mayWriteAll } from '../session.ts'

export function FirstVisit() {
  const loaded = useLoad((signal) => told(api.GET('/v1/instance', { signal })), [])
  return (
    <>
      <Panel title="What to publish" question="At _smtp._tls. and your domain, as a TXT record:">
        <Show of={loaded}>{({ record }) => <Copyable text={record} label="TXT record" />}</Show>
        <p>
          The first report can be expected 24 to 48 hours later: senders report once a day, about the day before, and
          only if they sent mail to you.
        </p>
      </Panel>
      {mayWriteAll() && <SelfTest />}
      {mayWriteAll() && <DropFile />}
    </>
  )
}

type Taken = { file: string; outcome: Schemas['Taken'][] | Refused }

/** A report, a mail or an mbox as a file, judged at once. */
export function DropFile() {
  const { link } = useAsked()
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const [busy, setBusy] = useState(false)
  const [taken, setTaken] = useState<Taken[]>([])
  const take = async (files: Iterable<File>) => {
    setBusy(true)
    for (const file of files) {
      const outcome = await upload(file)
      setTaken((before) => [...before, { file: file.name, outcome }])
    }
    setBusy(false)
  }
  return (
    <Panel
      title="Try a report"
      question="A report file (JSON, gzip), a mail or an mbox: it is judged, and kept like any other."
    >
      <div
        class={`drop ${over ? 'over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault()
          setOver(false)
          void take(event.dataTransfer?.files ?? [])
        }}
      >
        <label>
          Drop a file here, or choose one
          <input
            ref={input}
            type="file"
            multiple
            disabled={busy}
            onChange={({ currentTarget: { files } }) => void take(files ?? [])}
          />
        </label>
      </div>
      <ul role="status" aria-busy={busy}>
        {taken.map(({ file, outcome }, i) => (
          <li key={i}>
            <bdi>{file}</bdi>:{' '}
            {outcome instanceof Refused ? (
              <Failed error={outcome} />
            ) : (
              outcome.map(({ key, verdict, reason }, j) => (
                <span key={j}>
                  {j > 0 && ', '}
                  {key === null ? verdict : <a href={link(`/submissions/${key}`)}>{verdict}</a>}
                  {reason !== null && <> ({reason})</>}
                </span>
              ))
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}

async function upload(file: File): Promise<Schemas['Taken'][] | Refused> {
  try {
    const { data } = await told(
      api.POST('/v1/submissions', {
        params: { query: { filename: file.name === '' ? 'upload' : file.name } },
        body: file as unknown as string, // Bytes, which OpenAPI calls a string of format binary.
        bodySerializer: (body) => body as unknown as File,
        headers: { 'content-type': 'application/octet-stream' },
      }),
    )
    return data
  } catch (error) {
    if (error instanceof Refused) return error
    throw error
  }
}
