// One service: response times, requests, the path before and now.
import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { ofService } from './api.js';
import { Chart } from './chart.js';
import { Graph } from './graph.js';
import { WorldMap } from './map.js';
import { dash, duration, instant, place } from './format.js';

const SPANS = [['15 min', 15 * 60e6], ['1 h', 3600e6], ['6 h', 6 * 3600e6], ['1 day', 86400e6]];

function Hops({ title, path, which, changed }) {
  return html`<div class="path ${which} ${changed ? 'changed' : ''}">
    <h3>${title} <span class="muted">${instant(path.at_us)}</span></h3>
    <table>
      <thead><tr><th>ttl</th><th>address</th><th class="number">round trip</th><th>network</th><th>place</th></tr></thead>
      <tbody>${path.hops.map((hop) => html`<tr class=${hop.address ? '' : 'silent'}>
        <td>${hop.ttl}</td><td>${hop.address ?? 'no answer'}${hop.name ? html`<br /><span class="muted">${hop.name}</span>` : ''}</td>
        <td class="number">${duration(hop.rtt_us)}</td>
        <td>${hop.place?.asn ? `AS${hop.place.asn}` : ''} <span class="muted">${hop.place?.org ?? ''}</span></td>
        <td>${place(hop.place)}</td></tr>`)}</tbody>
    </table>
    <p class="muted">${path.reached ? `reached ${path.peer}` : `${path.peer} was not reached`} in ${duration(path.rtt_us)}</p>
  </div>`;
}

function Paths({ paths }) {
  const [chosen, choose] = useState(0);
  const path = paths[Math.min(chosen, paths.length - 1)];
  if (!path) return html`<p class="muted">No path has been measured yet.</p>`;
  return html`
    <p>${paths.map((p, i) => html`<button aria-pressed=${String(p === path)} onClick=${() => choose(i)}>
      ${p.probe}${p.site ? ` (${p.site})` : ''} → ${p.peer}${p.flow != null ? ` flow ${p.flow}` : ''}${p.before ? ' ●' : ''}</button> `)}</p>
    <${Graph} before=${path.before} now=${path.now} />
    <${WorldMap} before=${path.before} now=${path.now} />
    <div class="paths">
      ${path.before && html`<${Hops} title="Path before" path=${path.before} which="before" />`}
      <${Hops} title=${path.before ? `Path now, since ${instant(path.changed_us)}` : 'Path'} path=${path.now} which="now" changed=${!!path.before} />
    </div>`;
}

export function Service({ name, beat, incidents, now }) {
  const [width, setWidth] = useState(SPANS[0][1]);
  const [series, setSeries] = useState(null);
  const [paths, setPaths] = useState([]);
  const [fault, setFault] = useState(null);

  useEffect(() => {
    let gone = false;
    const until = now || Date.now() * 1000;
    const step = Math.max(2e6, Math.round(width / 300e6) * 1e6);
    Promise.all([
      ofService(name, 'series', `?from_us=${until - width}&until_us=${until}&step_us=${step}`),
      ofService(name, 'paths'),
    ]).then(([s, p]) => {
      if (gone) return;
      setSeries(s);
      setPaths(p.paths);
      setFault(null);
    }, (e) => gone || setFault(e.message));
    return () => { gone = true; };
  }, [name, beat, width]);

  const shaded = incidents.filter((i) => i.services?.includes(name))
    .map((i) => ({ from: i.since_us ?? i.rx_us, until: i.resolved_us ?? now }));
  return html`<section class="card" key=${name}>
    <h2 style="margin-top:0">${name}</h2>
    ${fault && html`<p class="failed">${fault}</p>`}
    <p>${SPANS.map(([label, us]) => html`<button aria-pressed=${String(us === width)} onClick=${() => setWidth(us)}>${label}</button> `)}</p>
    ${series && html`<div class="charts">
      <${Chart} title="Response time" at=${series.at_us} format=${(v) => (v == null ? dash : duration(v))} incidents=${shaded}
        lines=${[{ label: 'p50', values: series.response_p50_us, colour: '--calm' },
          { label: 'p90', values: series.response_p90_us, colour: '--warn' },
          { label: 'check', values: series.check_total_us, colour: '--soft' }]} />
      <${Chart} title="Requests a second" at=${series.at_us} format=${(v) => v.toFixed(v < 10 ? 1 : 0)} incidents=${shaded}
        lines=${[{ label: 'requests', values: series.requests.map((n) => (n == null ? null : n / (series.step_us / 1e6))), colour: '--calm' },
          { label: 'failures', values: series.failures.map((n) => (n == null ? null : n / (series.step_us / 1e6))), colour: '--bad' }]} />
    </div>`}
    <h2>The way there</h2>
    <${Paths} paths=${paths} />
  </section>`;
}
