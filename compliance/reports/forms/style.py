"""How a report looks as a page: light and dark, on a telephone, on a desk, on paper. Plain CSS, which names no font to be fetched and no address.

Colours stand in one place each, as pairs of what is written and what it is written on; each pair has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

from typing import Final

_DARK: Final = """
  --ground: #15181c; --sheet: #1c2026; --ink: #e7e9ec; --quiet: #a9b1bb; --hair: #343b44; --line: #59626d; --link: #9cc4f7;
  --alarm: #ffa39b; --alarm-on: #3b1d1e; --action: #f1bb6c; --action-on: #35270f; --notice: #9fc6f8; --notice-on: #1b2c42;
  --good: #8fd4ab; --good-on: #17301f; --s0: #86b4ef; --s1: #f0ab63; --s2: #7fcfa6; --s3: #cda5ee; --s4: #ef9aae; --s5: #c8ccd2; --shade: rgb(0 0 0 / .75);
"""

STYLE: Final = (
    """:root {
  color-scheme: light dark;
  --ground: #f5f5f2; --sheet: #ffffff; --ink: #1c2127; --quiet: #57606a; --hair: #dddfdb; --line: #8a929b; --link: #1d4f91;
  --alarm: #a3161f; --alarm-on: #fbebea; --action: #824800; --action-on: #fcf1df; --notice: #1f4f8f; --notice-on: #e9f0f9;
  --good: #1d6340; --good-on: #e6f3ea; --s0: #2c5f9e; --s1: #b5560c; --s2: #26795a; --s3: #7a46a8; --s4: #b02a52; --s5: #4a525b; --shade: rgb(0 0 0 / .22);
  --sans: "Segoe UI Variable Text", "Segoe UI", -apple-system, BlinkMacSystemFont, Inter, Roboto, "Helvetica Neue", "Noto Sans",
    "Liberation Sans", Arial, "DejaVu Sans Condensed", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) { :root {"""
    + _DARK
    + """} }

*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1.5rem; background: var(--ground); }
body { margin: 0 auto; max-width: 72rem; padding: 0 clamp(1rem, 4vw, 3rem) 3rem; color: var(--ink); background: var(--ground);
  font: 1rem/1.55 var(--sans); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
h1, h2, h3, h4, p, ul, ol, dl, dd, figure, pre { margin: 0; padding: 0; font: inherit; }
ul, ol { list-style: none; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: .2em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
main:focus { outline: none; }
code, pre { font-family: var(--mono); font-size: .875em; }
time, time span { white-space: nowrap; }
time:has(span) { white-space: normal; }
.heard { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.unseen, .kept::before { font: 600 .8em/1.3 var(--mono); color: var(--alarm); }
.kept::before { content: attr(data-is); }
.skip { position: absolute; left: 1rem; top: -4rem; z-index: 1; padding: .6rem 1rem; border-radius: 0 0 .4rem .4rem;
  color: var(--sheet); background: var(--ink); }
.skip:focus { top: 0; }

header { padding-top: clamp(1.75rem, 5vw, 3.5rem); }
.title { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .5rem 2rem; }
h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.25rem); font-weight: 700; line-height: 1.2; letter-spacing: -.015em; }
h1 .day { display: block; margin-top: .2rem; font-size: .6em; font-weight: 400; letter-spacing: 0; color: var(--quiet); }
.sites { display: flex; flex-wrap: wrap; gap: .4rem; }
.sites li { padding: .1rem .65rem; border: 1px solid var(--hair); border-radius: .3rem; background: var(--sheet); font-size: .875rem; }
.headline { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: baseline; margin-top: 1.5rem;
  padding: 1.1rem clamp(1rem, 3vw, 1.5rem); border-left: .4rem solid var(--now); border-radius: .2rem .5rem .5rem .2rem; background: var(--on); }
.headline > p:last-child { flex: 1 1 18rem; font-size: clamp(1.1rem, 1rem + .5vw, 1.3rem); line-height: 1.4; font-weight: 600; text-wrap: pretty; }

.alarm { --now: var(--alarm); --on: var(--alarm-on); }
.action { --now: var(--action); --on: var(--action-on); }
.notice { --now: var(--notice); --on: var(--notice-on); }
.good { --now: var(--good); --on: var(--good-on); }
.level { display: inline-flex; align-items: center; gap: .4em; padding: .1rem .6rem .1rem .4rem; border-radius: 1rem; color: var(--now);
  background: var(--on); font-size: .8125rem; font-weight: 700; line-height: 1.5; white-space: nowrap; }
.level svg { flex: none; width: 1em; height: 1em; fill: currentColor; }
.level .cut { fill: none; stroke: var(--on); stroke-width: 2; }
.headline .level { padding-left: 0; font-size: 1rem; }

nav { margin-top: 2.5rem; }
h2 { font-size: 1.375rem; font-weight: 700; line-height: 1.3; letter-spacing: -.01em; text-wrap: balance; }
nav h2, footer h2 { font-size: .875rem; letter-spacing: .02em; color: var(--quiet); }
nav ol { margin-top: .5rem; border-top: 1px solid var(--line); }
nav li { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .25rem 1rem; align-items: baseline; padding: .7rem 0;
  border-bottom: 1px solid var(--hair); }
nav .level { justify-self: start; }
nav li div { display: grid; grid-template-columns: minmax(0, 15rem) minmax(0, 1fr); gap: 0 1.5rem; align-items: baseline; }
nav a { font-weight: 600; }

main > section { margin-top: 3.5rem; padding-top: 1.25rem; border-top: 2px solid var(--line); }
.head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .4rem 1rem; }
.summary { max-width: 44rem; margin-top: .35rem; font-size: 1.0625rem; text-wrap: pretty; }
.note { max-width: 44rem; margin-top: 1rem; padding-left: 1rem; border-left: 2px solid var(--hair); color: var(--quiet); font-size: .9375rem; }
.nothing { margin-top: 1.25rem; color: var(--quiet); }
.caption, caption { font-size: .9375rem; font-weight: 600; color: var(--ink); }

.item { margin-top: 1.25rem; padding: 1.1rem clamp(1rem, 3vw, 1.5rem) 1.25rem; border: 1px solid var(--hair); border-left: .3rem solid var(--now);
  border-radius: .2rem .5rem .5rem .2rem; background: var(--sheet); }
h3 { max-width: 44rem; margin-top: .6rem; font-size: 1.125rem; font-weight: 650; line-height: 1.4; text-wrap: pretty; }
.where { margin-top: .2rem; color: var(--quiet); }
h4 { font-size: .8125rem; font-weight: 700; color: var(--quiet); }
.told > h4 { margin-top: 1.1rem; }
.todo { max-width: 44rem; margin-top: 1.1rem; padding: .7rem 1rem .8rem; border-radius: .4rem; background: var(--on); }
.todo h4 { color: var(--now); }
.values { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .4rem; }
.values div { min-width: 0; padding: .3rem .75rem .4rem; border: 1px solid var(--hair); border-radius: .4rem; }
.values dt { color: var(--quiet); font: .8125rem/1.4 var(--mono); }
.values dd { font-weight: 600; }
.found { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin-top: 1.1rem; padding-top: .9rem; border-top: 1px solid var(--hair);
  font-size: .875rem; }
.found div { min-width: 0; }
.found dt { color: var(--quiet); font-size: .8125rem; line-height: 1.3; }

.scroll { position: relative; margin-top: 1.25rem; overflow-x: auto; border: 1px solid var(--hair); border-radius: .5rem; background:
  linear-gradient(to right, var(--sheet) 30%, transparent) left / 2.5rem 100% local,
  linear-gradient(to left, var(--sheet) 30%, transparent) right / 2.5rem 100% local,
  linear-gradient(to right, var(--shade), transparent) left / .7rem 100% scroll,
  linear-gradient(to left, var(--shade), transparent) right / .7rem 100% scroll, var(--sheet); background-repeat: no-repeat; }
.slim { width: fit-content; min-width: min(100%, 34rem); max-width: 100%; }
table { min-width: 100%; border-collapse: collapse; font-size: .9375rem; line-height: 1.4; }
caption { padding: .75rem 1rem; text-align: left; }
caption span { position: sticky; left: 1rem; display: inline-block; max-width: min(44rem, 100vw - 5rem); }
th, td { padding: .45rem 1rem; text-align: left; vertical-align: baseline; overflow-wrap: break-word; max-width: 24rem; }
th + th, th + td, td + td { padding-left: .5rem; }
thead tr th { border-bottom: 1px solid var(--line); color: var(--quiet); font-size: .8125rem; font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; }
tbody th + th { font-weight: 400; }
tbody tr + tr > * { border-top: 1px solid var(--hair); }
tbody tr:hover > * { background: color-mix(in srgb, var(--notice-on) 55%, transparent); }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
.long { max-height: min(34rem, 75vh); overflow-y: auto; }
.long thead th { position: sticky; top: 0; background: var(--sheet); box-shadow: inset 0 -1px var(--line); }
.short { white-space: nowrap; }
.text { min-width: 11rem; }
.prose { min-width: 17rem; }
.phrase { display: inline-block; min-width: 8rem; }
tbody .entries { min-width: 9rem; max-width: 16rem; color: var(--quiet); font-size: .875rem; }
[data-room]::after { content: attr(data-room); visibility: hidden; }

.chart { margin-top: 1.25rem; }
figcaption { font-size: .9375rem; font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1.25rem; margin-top: .25rem; color: var(--quiet); font-size: .875rem; }
.sample { overflow: visible; vertical-align: -.15em; }
.plot { margin-top: .5rem; padding: 0 var(--right) 0 var(--left); font-size: .6875rem; }
.plot > svg { display: block; width: 100%; }
.plot svg { overflow: visible; }
.plot text { fill: var(--quiet); font-size: .6875rem; }
.plot .number { text-anchor: end; }
.plot .word, .plot .unknown { text-anchor: middle; }
.plot .turned { text-anchor: end; }
.tick { stroke: var(--hair); }
.nought { stroke: var(--line); }
.s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); } .s4 { color: var(--s4); } .s5 { color: var(--s5); }
.bar { fill: currentColor; stroke: currentColor; stroke-width: 1; }
.bar[fill] { fill: revert-layer; }
pattern { stroke: currentColor; stroke-width: 1.2; fill: none; }
pattern circle { fill: currentColor; stroke: none; }
pattern .back { fill: var(--ground); stroke: none; }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.at > path, .at > circle, .sample g > * { fill: currentColor; stroke: var(--ground); stroke-width: 1; }

.verbatim { margin-top: 1.25rem; }
.verbatim .scroll { margin-top: .4rem; }
pre { padding: .9rem 1rem 0; line-height: 1.5; white-space: pre; overflow-wrap: normal; user-select: all; -webkit-user-select: all; }

footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .875rem; }
.state { display: grid; gap: .35rem; margin-top: .5rem; }
.state div { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: 0 1rem; }
.state dd { color: var(--ink); }

@media (min-width: 56rem) {
  .item { display: grid; grid-template-columns: minmax(0, 1fr) 20rem; gap: 0 2rem; }
  .item .found { display: grid; gap: .4rem; align-content: start; margin: 0; padding: 0 0 0 1.5rem; border: 0; border-left: 1px solid var(--hair); }
  .item .found div { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); align-items: baseline; }
  .drawn.beside { display: grid; grid-template-columns: minmax(22rem, 1fr) fit-content(56%); gap: 0 2.5rem; align-items: start; }
  .drawn.beside .scroll { min-width: 0; }
  .drawn.beside th, .drawn.beside td { padding-top: .3rem; padding-bottom: .3rem; }
}
@media (max-width: 40rem) {
  .roomy { display: none; }
  .state div { grid-template-columns: minmax(0, 1fr); }
  nav li { grid-template-columns: minmax(0, 1fr) auto; gap: .15rem 1rem; }
  nav li div { display: contents; }
  nav .level { grid-area: 1 / 2; }
  nav li p:last-child { grid-column: 1 / -1; }
  th, td { padding: .45rem .75rem; }
  caption { padding: .75rem .75rem .5rem; }
  caption span { left: .75rem; }
  main > section { margin-top: 2.75rem; }
}
@media print {
  @page { margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #555; } }
  :root { color-scheme: light; --ground: #ffffff; }
  html { font-size: 9.5pt; }
  body { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .skip { display: none; }
  header { padding-top: 0; }
  a { color: inherit; text-decoration: none; }
  h2, h3, h4, .head, .summary, caption, .caption, figcaption, .legend { break-after: avoid; }
  nav li, .item, tr, figure, .headline, .verbatim, .few, footer { break-inside: avoid; }
  thead, tbody tr:nth-child(-n + 2), tbody tr:nth-last-child(2) { break-after: avoid; }
  main > section { margin-top: 2rem; }
  thead { display: table-header-group; }
  p { orphans: 3; widows: 3; }
  .scroll { max-height: none; overflow: visible; border: 0; background: none; }
  .long thead th { position: static; background: none; box-shadow: none; }
  .scroll table { border-bottom: 1px solid var(--line); }
  caption { padding: 0 0 .4rem; }
  caption span { position: static; max-width: none; }
  th, td { padding: .25rem .6rem .25rem 0; }
  th + th, th + td, td + td { padding-left: 0; }
  .phrase { min-width: 0; }
  .text, .prose { min-width: 7em; overflow-wrap: anywhere; }
  .short:not(.word) { white-space: normal; }
  tbody .entries { min-width: 6em; }
  .wide table, .wide tbody .entries, .wide thead tr th { font-size: 7pt; }
  pre { padding: .6rem .8rem; border: 1px solid var(--hair); white-space: pre-wrap; overflow-wrap: anywhere; font-size: 7.5pt; }
}
"""
)
