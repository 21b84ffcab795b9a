/** How /docs looks: the system's fonts, light or dark as the reader has it, the contents beside the text on a wide screen. */

export const docsStyle = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent) }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif }
nav, main { padding: 1rem 1.5rem }
nav { font-size: .875rem; border-bottom: 1px solid var(--line) }
nav ul { list-style: none; margin: 0; padding: 0 }
nav h2 { margin: 1rem 0 .25rem; font-size: 1rem }
main { max-width: 60rem }
h1 small { font-weight: normal; font-size: 1rem }
section > h2 { border-bottom: 1px solid var(--line) }
article { margin: 2rem 0; scroll-margin-top: 1rem }
h3, nav a { overflow-wrap: anywhere }
h4 { margin: 1rem 0 .25rem }
a { color: inherit; text-underline-offset: .2em }
nav a { text-decoration: none }
a:hover, a:focus-visible { text-decoration: underline }
article:target h3 { text-decoration: underline }
code { font: .9em ui-monospace, monospace }
b[class] { font: bold .75rem ui-monospace, monospace; text-transform: uppercase; padding: .1em .4em; border: 1px solid; border-radius: .25em }
.get { color: light-dark(#0b6b3a, #6fdc9f) }
.post, .put, .patch { color: light-dark(#8a4b00, #ffb65c) }
.delete { color: light-dark(#a3121f, #ff8f97) }
dl { margin: 0 0 0 1rem }
dt { margin-top: .4rem }
dd { margin: 0 0 0 1rem }
dd dl { border-left: 1px solid var(--line); padding-left: .5rem }
@media (min-width: 64rem) {
  body { display: grid; grid-template-columns: 22rem 1fr }
  nav { position: sticky; top: 0; height: 100vh; overflow: auto; border: 0; border-right: 1px solid var(--line) }
}
`.trimStart()
