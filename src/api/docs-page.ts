/** An OpenAPI 3.1 document as one page of HTML: every operation with its parameters, body and answers, every schema. */

/** What the page shows of a document. */
export type DocumentedApi = {
  info: { title: string; version: string; description?: string }
  tags?: { name: string; description?: string }[]
  paths: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema> }
}

type Operation = {
  tags?: string[]
  summary?: string
  description?: string
  security?: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { content: Content }
  responses: Record<string, { description?: string; content?: Content }>
}

type Parameter = { name: string; in: string; required?: boolean; description?: string; schema?: Schema }

type Content = Record<string, { schema?: Schema }>

type Schema = {
  $ref?: string
  type?: string
  format?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  description?: string
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  anyOf?: Schema[]
  oneOf?: Schema[]
}

/** Marked as HTML; whatever else is put into `markup` is text. */
type Html = { html: string }
type Piece = string | number | Html | undefined | false | readonly Piece[]

/** Not called `html`: Prettier would lay that out anew, blanks included. */
function markup(strings: TemplateStringsArray, ...pieces: Piece[]): Html {
  return { html: strings.map((string, i) => string + (i < pieces.length ? escaped(pieces[i]) : '')).join('') }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(piece: Piece): string {
  if (piece === undefined || piece === false) return ''
  if (typeof piece === 'string' || typeof piece === 'number')
    return String(piece).replace(/[&<>"']/g, (character) => entities[character]!)
  return 'html' in piece ? piece.html : piece.map(escaped).join('')
}

/** Descriptions are plain text with `code` in it. */
const prose = (text: string | undefined): Piece =>
  text?.split(/`([^`]+)`/).map((part, i) => (i % 2 === 1 ? markup`<code>${part}</code>` : part))

const schemaAnchor = (name: string): string => `schema-${name}`
const operationAnchor = (method: string, path: string): string =>
  `${method}${path.replaceAll(/[^a-z0-9]+/gi, '-')}`.replace(/-$/, '')

/** The whole page. */
export function docsPage({ info, tags = [], paths, components }: DocumentedApi): string {
  const operations = Object.entries(paths).flatMap(
    ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation, anchor: operationAnchor(method, path) })), // prettier-ignore
  )
  const groups = tags.map((tag) => ({ ...tag, own: operations.filter(({ operation }) => operation.tags?.[0] === tag.name) })) // prettier-ignore
  const schemas = Object.entries(components?.schemas ?? {})
  const { html } = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<nav aria-label="Contents">
${groups.map(({ name, own }) => contentsOf(name, own))}
<h2>schemas</h2>
<ul>${schemas.map(([name]) => markup`<li><a href="#${schemaAnchor(name)}">${name}</a></li>\n`)}</ul>
</nav>
<main>
<h1>${info.title} <small>${info.version}</small></h1>
<p>${prose(info.description)}</p>
<p>Ask with <code>Authorization: Bearer TOKEN</code>. For programs: <a href="/v1/openapi.json">openapi.json</a>.</p>
${groups.map(({ name, description, own }) => groupSection(name, description, own))}
<section>
<h2>schemas</h2>
${schemas.map(([name, schema]) => schemaSection(name, schema))}</section>
</main>
</body>
</html>
`
  return html
}

type Placed = { method: string; path: string; operation: Operation; anchor: string }

const contentsOf = (name: string, own: readonly Placed[]): Html => markup`<h2>${name}</h2>
<ul>${own.map(({ anchor, ...rest }) => markup`<li><a href="#${anchor}">${methodOf(rest)} ${rest.path}</a></li>\n`)}</ul>
`

const methodOf = ({ method }: Pick<Placed, 'method'>): Html => markup`<b class="${method}">${method}</b>`

const groupSection = (name: string, description: string | undefined, own: readonly Placed[]): Html => markup`<section>
<h2>${name}</h2>
<p>${prose(description)}</p>
${own.map(operationSection)}</section>
`

function operationSection({ method, path, operation, anchor }: Placed): Html {
  const { summary, description, security, parameters = [], requestBody, responses } = operation
  return markup`<article id="${anchor}">
<h3>${methodOf({ method })} <code>${path}</code></h3>
<p><strong>${prose(summary)}</strong></p>
${description !== undefined && markup`<p>${prose(description)}</p>\n`}${needs(security)}
${parameters.length > 0 && markup`<h4>Parameters</h4>\n<dl>${parameters.map(parameterEntry)}</dl>\n`}
${requestBody && markup`<h4>Body</h4>\n${bodies(requestBody.content)}`}
<h4>Answers</h4>
<dl>${Object.entries(responses).map(([status, response]) => responseEntry(status, response))}</dl>
</article>
`
}

function needs(security: Operation['security']): Piece {
  if (security?.length === 0) return markup`<p>Needs no token.</p>`
  const [scope] = security?.flatMap((alternative) => Object.values(alternative).flat()) ?? []
  return scope === undefined
    ? markup`<p>Needs a token.</p>`
    : markup`<p>Needs a token of the scope <code>${scope}</code>.</p>`
}

function parameterEntry({ name, required, description, schema = {} }: Parameter): Html {
  const fallback = schema.default === undefined ? '' : `, default ${JSON.stringify(schema.default)}`
  return entry(name, [typeOf(schema), required === true && ', required', fallback], prose(description))
}

const responseEntry = (status: string, { description, content = {} }: Operation['responses'][string]): Html =>
  entry(status, undefined, [prose(description), Number(status) < 300 && bodies(content)])

const schemaSection = (name: string, schema: Schema): Html => markup`<article id="${schemaAnchor(name)}">
<h3>${name}</h3>
<p>${prose(schema.description)}</p>
${fields(schema)}</article>
`

const entry = (term: string, type: Piece, meaning: Piece): Html => markup`<dt><code>${term}</code> <i>${type}</i></dt>
<dd>${meaning}</dd>
`

const bodies = (content: Content): Piece =>
  Object.entries(content).map(
    ([mediaType, { schema = {} }]) => markup`<p><code>${mediaType}</code> ${typeOf(schema)}</p>\n${fields(schema)}`,
  )

/** The members of an object, or of the object that a union or a list is made of. */
function fields(schema: Schema): Piece {
  const variants = schema.oneOf ?? schema.anyOf ?? []
  if (variants.length > 0) return variants.map(fields)
  if (schema.items) return fields(schema.items)
  if (!schema.properties) return undefined
  const members = Object.entries(schema.properties)
  return markup`<dl>${members.map(([name, member]) => entry(name, typeOf(member), [prose(member.description), fields(member)]))}</dl>\n`
}

function typeOf(schema: Schema): Piece {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
    return markup`<a href="#${schemaAnchor(name)}">${name}</a>`
  }
  const variants = schema.oneOf ?? schema.anyOf
  if (variants) return variants.map((variant, i) => [i > 0 && ' or ', typeOf(variant)])
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(', ')
  if (schema.items) return ['list of ', typeOf(schema.items)]
  if (typeof schema.additionalProperties === 'object') return ['object of ', typeOf(schema.additionalProperties)]
  return schema.format ?? schema.type ?? 'anything'
}
