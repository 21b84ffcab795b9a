/** Where the service's time goes: the samples of a CPU profile, shared out among the stages of the road. */
import type { CpuProfile } from './profile.ts'

/** The innermost frame in one of these says which stage a sample belongs to; first match. */
const stages: [stage: string, place: RegExp][] = [
  ['prescan', /\/src\/tlsrpt\/prescan\.ts$/],
  ['unwrap', /\/src\/tlsrpt\/(?:unwrap|gzip|header|mime)\.ts$|\/node_modules\/(?:mailparser|libmime|libbase64|libqp)\//],
  ['parse', /\/src\/tlsrpt\/(?:parse|json|repairs|members|schema)\.ts$/],
  ['authenticate', /\/src\/(?:dkim|dns)\/|\/src\/tlsrpt\/authenticate\.ts$/],
  ['judge', /\/src\/tlsrpt\/(?:judge|identity|ownership)\.ts$/],
  ['record', /\/src\/store\/|\/node_modules\/(?:pg|pg-protocol|pg-pool)\//],
  ['transport', /\/src\/transport\/|\/node_modules\/(?:fastify|smtp-server|find-my-way|avvio|light-my-request)\/|^node:(?:_?http|internal\/http|net|tls|internal\/tls|_tls)/],
] // prettier-ignore

const asleep = new Set(['(idle)', '(program)', '(root)'])

/** 'unwrap 20 %, prescan 3 %, ...' of the time in which it was not waiting, largest first. */
export function describeShares({ nodes, samples, timeDeltas }: CpuProfile): string {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const stageOf = (id: number): string | undefined => {
    const frames = [...framesFrom(id, parents)].map((at) => byId.get(at)!.callFrame)
    const leaf = frames[0]!.functionName
    if (asleep.has(leaf)) return undefined
    if (leaf === '(garbage collector)') return 'garbage collection'
    for (const { url } of frames) {
      const stage = stages.find(([, place]) => place.test(url))
      if (stage) return stage[0]
    }
    return 'other'
  }
  const times = new Map<string, number>()
  samples.forEach((id, i) => {
    const stage = stageOf(id)
    if (stage !== undefined) times.set(stage, (times.get(stage) ?? 0) + timeDeltas[i]!)
  })
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .map(([stage, time]) => `${stage} ${Math.round((time / total) * 100)} %`)
    .join(', ')
}

/** The frame itself, who called it, and so on. */
function* framesFrom(id: number, parents: ReadonlyMap<number, number>): Generator<number> {
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) yield at
}
