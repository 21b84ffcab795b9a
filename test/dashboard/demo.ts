/** The demo and a browser, once for all files that look at it. */
import { openBrowser } from '../support/browser.ts'
import { runDemoService } from '../support/demo-service.ts'

export const service = await runDemoService()
const first = async (path: string) => (await service.get<{ data: { key: string }[] }>(path)).data[0]!
export const aReport = `/reports/${(await first('/v1/reports?limit=1')).key}`
export const aRefusal = `/submissions/${(await first('/v1/submissions?verdict=unauthenticated')).key}`
export const { newPage } = await openBrowser()
