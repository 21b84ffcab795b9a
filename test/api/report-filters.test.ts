import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'
import { aDetail, aPolicy, aReport, insertReports } from '../support/rows.ts'

const { db, get } = await startApi()
const expired = aPolicy({ failed: 3n, details: [aDetail()] })
const dane = aPolicy({ policyType: 'tlsa', policyMode: null, policyDomain: 'mx.example', failed: 3n, details: [aDetail({ resultType: 'tlsa-invalid', receivingMxHostname: null })] }) // prettier-ignore
await insertReports(db, [
  aReport({ reportId: 'a', policies: [expired] }),
  aReport({ reportId: 'b', policies: [aPolicy({ policyMode: 'enforce' }), dane] }),
  aReport({ reportId: 'c', standing: 'excluded', policies: [expired] }),
])
await db.query(`update report set anomalies = '[{"code": "late", "pointer": ""}, {"code": "count-missing", "pointer": "/x"}]' where report_id = 'b'`) // prettier-ignore

for (const [query, found] of [
  ['', 'a b c'],
  ['result_type=certificate-expired', 'a c'],
  ['result_type=certificate-expired&standing=counted', 'a'],
  ['result_type=certificate-expired&result_type=TLSA-invalid', 'a b c'],
  ['receiving_mx_hostname=', 'b'],
  ['receiving_mx_hostname=MX1.ours.example', 'a c'],
  ['result_type=tlsa-invalid&receiving_mx_hostname=mx1.ours.example', ''],
  ['policy_type=tlsa', 'b'],
  ['policy_mode=testing', 'a c'],
  ['policy_mode=', 'b'],
  ['policy_mode=enforce&policy_type=tlsa', ''],
  ['policy_mode=enforce&result_type=tlsa-invalid', 'b'],
  ['anomaly=late', 'b'],
  ['anomaly=LATE&anomaly=none', 'b'],
  ['anomaly=none', ''],
  ['anomaly=%5C', ''],
] as const) {
  test(`the filter '${query}' finds the reports '${found}'`, async () => {
    const { json, status } = await get(`/v1/reports?${query}`)
    assert.equal(status, 200, json.detail)
    assert.equal(json.data.map((row) => row['report_id']).sort().join(' '), found) // prettier-ignore
  })
}
