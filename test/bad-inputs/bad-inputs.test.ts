/** What strangers may send, case by case, over the real sockets of a service that is a process of its own. */
import { watchService } from '../support/watched-service.ts'
import { compression } from './compression.ts'
import { dkim, dkimZone } from './dkim.ts'
import { http } from './http.ts'
import { identity } from './identity.ts'
import { json } from './json.ts'
import { mails } from './mails.ts'
import { runRows } from './run-rows.ts'
import { smtp } from './smtp.ts'

const service = await watchService({ zone: dkimZone, env: { LIMITS: JSON.stringify({ dnsTimeoutMs: 500 }) } })
await service.database.db.query("insert into domain (domain, include_subdomains) values ('alone.example', false)")

runRows(service, [...compression, ...json, ...mails, ...dkim, ...smtp, ...http, ...identity])
