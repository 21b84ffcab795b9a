/** Starts everything a Config asks for and wires it by hand; the program, the demo and the tests all start it here. */
import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { makeAddressTest } from './addresses.ts'
import { makeApi } from './api/server.ts'
import { forStrangers, makeChecker, type Checker } from './checker.ts'
import { adminTokenFile, ruaOf, type Config } from './config.ts'
import { startDailyChecks } from './daily-checks.ts'
import type { Ingest } from './ingest.ts'
import { keyAt, newToken, randomToken } from './keys.ts'
import type { Limits } from './limits.ts'
import { makeMetrics } from './metrics.ts'
import { ensurePage, type Dashboard } from './page-build.ts'
import { migrationsFolder, product } from './product.ts'
import { readiness, startMigration } from './readiness.ts'
import { makeRoad, type World } from './road.ts'
import type { Database } from './store/database.ts'
import { makeLastReportDays, type OwnDomains } from './store/domains.ts'
import { openStore } from './store/open.ts'
import { applyRetention } from './store/retention.ts'
import { findIntakeToken } from './store/tokens.ts'
import type { CheckPublicly } from './transport/check-page.ts'
import { openCertificate } from './transport/certificate.ts'
import { takeFile } from './transport/file.ts'
import { startIntake } from './transport/https.ts'
import { sendingMs } from './transport/listener.ts'
import { startSmtp } from './transport/smtp.ts'
import { startWatchdog } from './watchdog.ts'

export type Service = {
  ports: { smtp: number; intake: number; api: number }
  /** `isNew`: made by this start, to be shown once. */
  adminToken: { token: string; isNew: boolean }
  /** The road itself, for what comes from inside the process. */
  ingest: Ingest
  /** Rejects with UnusableDatabase when a database that was away at the start comes back as one for another release. */
  outdated: Promise<never>
  /** Drains: what is under way is finished and answered, then everything is closed. */
  close: () => Promise<void>
}

/** The dashboard; left out: the one of this repository, built where it has to be. */
type Surroundings = World & { dashboard?: Dashboard }

/**
 * Resolves once all listeners are open, also while the database is away: then senders are told to come back, /readyz
 * says why, and the service becomes ready by itself. Rejects when a port is taken, the embedded Postgres cannot start, or
 * the database answers and is none that we may use (UnusableDatabase).
 */
export async function startService(config: Config, log: Logger, world: Surroundings): Promise<Service> {
  const { limits } = config
  const closing: (() => Promise<unknown>)[] = [] // In reverse order, also when the start fails half-way.
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step()
  }
  try {
    const store = await openStore(config, log)
    closing.push(store.close)
    const intakeDb = store.connect('intake', limits.intakePool)
    const apiDb = store.connect('api', limits.apiPool)
    const schema = startMigration(intakeDb, migrationsFolder, log)
    closing.push(schema.close)

    const metrics = makeMetrics({
      version: product.version,
      maxDomains: limits.metricsDomains,
      queueDepth: () => recorder.pending(),
      certificateExpiresAt: () => new X509Certificate(certificate.current().cert).validToDate,
      lastReportDays: makeLastReportDays(apiDb, world.now),
    })
    const { recorder, replay, ownDomains, ...road } = makeRoad(intakeDb, config, log, world, metrics)
    const ingest = metrics.watch(road.ingest)
    closing.push(recorder.close)
    void schema.done.then(() => adviseOnDomains(ownDomains, log))
    closing.push(startRetention(intakeDb, config, log, world, schema.isReady))

    const looking = { ...world, nowMs: () => performance.now(), product }
    const checker = await makeChecker(config, looking)
    const checkPublicly = config.checks.arePublic && asPublicCheck(await makeChecker(forStrangers(config), looking))
    const checking = { db: apiDb, checker, ownDomains, newKey: keyAt, now: world.now, isReady: schema.isReady, log }
    closing.push(startDailyChecks(checking))

    closing.push(asLastWord(startWatchdog(log, metrics.onStall)))

    const limitExempt = makeAddressTest(config.limitExemptCidrs)
    const certificate = await openCertificate(config.tls, config.dataDir, [config.smtp.hostname], log, world.now)
    closing.push(asLastWord(certificate.close))
    const doors: (() => Promise<unknown>)[] = [] // Closed at the same time: none waits for the slow clients of another.
    closing.push(() => Promise.all(doors.map((closeDoor) => closeDoor())))
    const listening = { ingest, limits, limitExempt, certificate, now: world.now, log }
    const smtp = await startSmtp({ ...listening, ...config.smtp }, config.smtp.host, config.smtp.port)
    doors.push(smtp.close)
    const findToken = (token: string) => findIntakeToken(intakeDb, token)
    const intake = await startIntake(
      { ...listening, ...config.intake, findToken, ...(checkPublicly && { checkPublicly }) },
      config.intake.host,
      config.intake.port,
    )
    doors.push(intake.close)

    const adminToken = await readAdminToken(config)
    const ready = () => readiness(intakeDb, schema) // Slow questions to the API are no reason to turn senders away.
    const dashboard = world.dashboard ?? ensurePage(log)
    closing.push(dashboard.close)
    const api = await makeApi({
      db: apiDb,
      ownDomains,
      adminToken: adminToken.token,
      newToken,
      newKey: keyAt,
      checker,
      product,
      rua: ruaOf(config),
      takeFile: (bytes, fileName) => takeFile(bytes, fileName, { ingest, limits, now: world.now }),
      replay,
      now: world.now,
      limits,
      limitExempt,
      ready,
      exposeMetrics: metrics.expose,
      page: dashboard.page,
      log,
    })
    doors.push(() => closeApi(api, limits))
    await api.listen({ host: config.api.host, port: config.api.port })
    const { port: apiPort } = api.server.address() as AddressInfo

    await schema.tried
    return {
      ports: { smtp: smtp.port, intake: intake.port, api: apiPort },
      adminToken,
      ingest,
      outdated: schema.outdated,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const asLastWord = (end: () => void) => () => {
  end()
  return Promise.resolve()
}

/** fastify waits for requests at work, however slowly their clients read. */
async function closeApi(api: Awaited<ReturnType<typeof makeApi>>, limits: Limits): Promise<void> {
  const tooLate = setTimeout(() => {
    api.server.closeAllConnections()
  }, sendingMs(limits))
  await api.close()
  clearTimeout(tooLate)
}

const asPublicCheck =
  ({ readDomain, check }: Checker): CheckPublicly =>
  async (text) => {
    const input = readDomain(text)
    return input.kind === 'refused' ? input : { kind: 'checked', ...(await check(input.domain, () => undefined)) }
  }

/** A receiver of nobody's reports refuses them all: say how to change that. */
async function adviseOnDomains(ownDomains: OwnDomains, log: Logger): Promise<void> {
  const none = !ownDomains.any && (await ownDomains.list().catch(() => undefined))?.length === 0
  if (none)
    log.warn(
      {},
      "no domain is ours yet, so every report is refused as not-ours: 'npm start -- domain add example.com', PUT /v1/domains/example.com, or POLICY_DOMAINS",
    )
}

/** Every minute, because the bound on refused bytes is one that strangers push against. */
function startRetention(
  db: Database,
  { retention, limits }: Config,
  log: Logger,
  { now }: World,
  isReady: () => boolean,
): () => Promise<void> {
  let running = Promise.resolve()
  const run = async () => {
    if (!isReady()) return
    const { rawDays, reportDays, refusedDays } = retention
    const done = await applyRetention(db, now(), {
      rawDays,
      reportDays,
      refusedDays,
      refusedBytes: limits.refusedBytes,
    })
    if (done.dropped.length > 0 || done.refusedDeleted > 0) log.info(done, 'retention')
  }
  const timer = setInterval(() => {
    running = running
      .then(run)
      .catch((error: unknown) => log.error({ err: error }, 'retention failed; trying again in a minute'))
  }, 60_000)
  return async () => {
    clearInterval(timer)
    await running
  }
}

/** ADMIN_TOKEN, else the one kept in the data folder, else a new one of 256 random bits, readable by its owner alone. */
async function readAdminToken(config: Config): Promise<{ token: string; isNew: boolean }> {
  if (config.adminToken !== undefined) return { token: config.adminToken, isNew: false }
  const file = adminTokenFile(config)
  const kept = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  })
  if (kept.trim() !== '') return { token: kept.trim(), isNew: false }
  const token = randomToken()
  await mkdir(config.dataDir, { recursive: true })
  await writeFile(file, `${token}\n`, { mode: 0o600 })
  return { token, isNew: true }
}
