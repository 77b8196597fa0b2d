"""The report's style sheet. It follows the reader's choice of light or dark."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --panel: #f6f8fa;
  --own: #0969da; --peer: #a9b4c0; --floor: #bc4c00; --good: #116329; --bad: #a40e26; --note: #fff8c5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #30363d; --panel: #161b22;
    --own: #4493f8; --peer: #59636e; --floor: #f0883e; --good: #56d364; --bad: #ff7b72; --note: #3b2e05;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 82rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: .5rem 0; font-size: 1.7rem; } h2 { margin: 2rem 0 .25rem; font-size: 1.25rem; }
h3 { margin: 1rem 0 .4rem; font-size: 1rem; color: var(--soft); }
p { margin: .4rem 0; max-width: 60rem; } small { color: var(--soft); font-size: .85em; }
code { font-family: ui-monospace, monospace; font-size: .9em; color: var(--soft); }
.remarks { padding: .6rem .6rem .6rem 1.8rem; background: var(--note); border-radius: 6px; }
.key { border-left: 2px dashed var(--floor); padding-left: .3em; }
nav { display: flex; flex-wrap: wrap; gap: .3rem .9rem; margin: 1rem 0; padding: .6rem 0;
  border-block: 1px solid var(--line); }
a { color: var(--own); text-decoration: none; } a:hover { text-decoration: underline; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: .8rem;
  align-items: start; }
figure { margin: 0; padding: .7rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  min-width: 0; }
figure:has(details[open]) { grid-column: 1 / -1; }
figcaption { font-weight: 600; margin-bottom: .4rem; } figcaption small { font-weight: 400; }
figcaption em { color: var(--bad); font-style: normal; font-weight: 400; font-size: .85em; }
.row { display: grid; grid-template-columns: 7.6em 1fr 7em; gap: .5rem; align-items: center; font-size: .85rem;
  line-height: 1.35rem; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.value { white-space: nowrap; font-variant-numeric: tabular-nums; }
.track { position: relative; align-self: stretch; display: flex; align-items: center; }
.track::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--at);
  border-left: 2px dashed var(--floor); }
.bar { height: .8rem; min-width: 2px; background: var(--peer); border-radius: 0 3px 3px 0; }
.own .bar { background: var(--own); } .own .name, .own .value { font-weight: 600; }
.bar.cut { border-radius: 0; -webkit-mask: linear-gradient(90deg, #000 80%, transparent);
  mask: linear-gradient(90deg, #000 80%, transparent); }
details { margin-top: .4rem; font-size: .85rem; } summary { cursor: pointer; color: var(--soft); }
ul { margin: .4rem 0; padding-left: 1.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child { text-align: left; } tbody th { font-weight: 400; }
.good { color: var(--good); } .bad { color: var(--bad); } td.none { color: var(--soft); }
"""
