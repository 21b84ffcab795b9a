/** What a failure detail says (RFC 8460 §4.4), wherever some of them stand in a table. */
import type { Schemas } from '../client.ts'
import { Said, SaidLink } from '../parts/said.tsx'
import type { Column } from '../parts/table.tsx'
import { approximately, count } from '../words.ts'

type Detail = Schemas['Policy']['failure_details'][number]

type Said_ = 'result_type' | 'receiving_mx_hostname' | 'receiving_ip' | 'sending_mta_ip' | 'failure_reason_code'

const said = (head: string, name: Said_): Column<Pick<Detail, Said_>> => ({
  head,
  cell: (row) => <Said text={row[name]} />,
  by: (row) => row[name],
})

export const resultType = said('Result type', 'result_type')
export const receivingMx = said('Receiving MX', 'receiving_mx_hostname')
export const receivingIp = said('Receiving IP', 'receiving_ip')

export const sessions: Column<Pick<Detail, 'failed_session_count'>> = {
  head: 'Sessions',
  numeric: true,
  cell: (row) => count(row.failed_session_count),
  by: (row) => approximately(row.failed_session_count),
}

const more: Column<Pick<Detail, 'additional_information'>> = {
  head: 'More',
  cell: (row) => <SaidLink text={row.additional_information} />,
}

/** From whom, and why. */
export const ends = [said('Sending MTA', 'sending_mta_ip'), said('Reason', 'failure_reason_code'), more] as const
