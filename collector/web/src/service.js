// One service: response times, requests, the path before and now, what the names say.
import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { get } from './api.js';
import { Chart } from './chart.js';
import { Graph } from './graph.js';
import { WorldMap } from './map.js';
import { began, ended } from './incidents.js';
import { newHops } from './path.js';
import { dash, duration, instant, place } from './format.js';

const SPANS = [['15 min', 15 * 60e6, '5 s'], ['1 h', 3600e6, '15 s'], ['6 h', 6 * 3600e6, '1 min'], ['1 day', 86400e6, '5 min']];

function Hops({ title, path, which, fresh }) {
  return html`<div class="path ${which}">
    <h3>${title}</h3>
    <div class="scroll"><table>
      <thead><tr><th>hop</th><th>address</th><th class="number">round trip</th><th>network</th><th>place</th></tr></thead>
      <tbody>${path.hops.map((hop) => html`<tr class="${hop.address ? '' : 'silent'} ${fresh?.has(hop) ? 'fresh' : ''}">
        <td>${hop.ttl}</td><td>${hop.address ?? '* no answer'}${fresh?.has(hop) ? html` <span class="tag page">new</span>` : ''}${hop.name ? html`<br /><span class="muted">${hop.name}</span>` : ''}</td>
        <td class="number">${duration(hop.rtt_us)}</td>
        <td>${hop.place?.asn ? `AS${hop.place.asn}` : ''} <span class="muted">${hop.place?.org ?? ''}</span></td>
        <td>${place(hop.place)}</td></tr>`)}</tbody>
    </table></div>
    <p class="muted">${path.peer} ${path.reached ? 'was reached' : 'was not reached'}</p>
  </div>`;
}

const changedFirst = (a, b) => (b.before != null) - (a.before != null) || b.since_us - a.since_us || a.probe.localeCompare(b.probe);

function Paths({ rows }) {
  const [chosen, choose] = useState(null);
  const list = rows.filter((r) => r.now).sort(changedFirst);
  const key = (r) => `${r.probe} ${r.name}`;
  const row = list.find((r) => key(r) === chosen) ?? list[0];
  if (!row) return html`<p class="muted">No path has been measured yet.</p>`;
  const now = row.now.observation;
  const before = row.before?.observation ?? null;
  return html`
    <p><label>Path <select value=${key(row)} onChange=${(e) => choose(e.target.value)}>${list.map((r) => html`<option key=${key(r)} value=${key(r)}>
      ${r.probe} → ${r.now.observation.peer}${r.now.observation.flow != null ? `, flow ${r.now.observation.flow}` : ''}${r.before ? ' (changed)' : ''}</option>`)}</select></label>
      <span class="muted"> ${list.filter((r) => r.before).length} of ${list.length} changed</span></p>
    <${Graph} before=${before} now=${now} />
    ${before && html`<p class="legend"><span class="before">– – before, until ${instant(row.before.last_us)}</span> <span class="now">— now, since ${instant(row.since_us)}</span></p>`}
    <div class="paths">
      ${before && html`<${Hops} title="Path before" path=${before} which="before" />`}
      <${Hops} title=${before ? 'Path now' : 'Path'} path=${now} which=${before ? 'now' : 'only'} fresh=${before && newHops(before, now)} />
    </div>
    <${WorldMap} before=${before} now=${now} />`;
}

const said = (form) => form?.observation.answers?.map((a) => a.data).sort().join(', ') || form?.observation.rcode || dash;

function Names({ rows }) {
  if (!rows.length) return null;
  return html`<details><summary>What the names say (${rows.length})</summary><div class="scroll"><table>
    <thead><tr><th>probe</th><th>name</th><th>asked</th><th>before</th><th>now</th><th>since</th></tr></thead>
    <tbody>${rows.map((r) => {
      const o = (r.now ?? r.before)?.observation;
      return o && html`<tr><td>${r.probe}</td><td>${o.name} ${o.type}</td><td>${o.role} <span class="muted">${o.server}</span></td>
        <td class="muted">${r.before ? said(r.before) : ''}</td><td class=${r.before ? 'bad' : ''}>${said(r.now)}</td><td>${instant(r.since_us)}</td></tr>`;
    })}</tbody></table></div></details>`;
}

const perSecond = (counts, step) => counts.map((n) => (n == null ? null : n / (step / 1e6)));

function failures(series) {
  const kinds = ['errors', 'refused', 'timed_out', 'reset', 'check_failures'].map((kind) => series[kind]);
  return series.at_us.map((_, i) => {
    const known = kinds.map((k) => k[i]).filter((n) => n != null);
    return known.length ? known.reduce((a, b) => a + b, 0) : null;
  });
}

const ABILITIES = { failures: 'failures', name_servers: 'name servers', records: 'DNS records', registry: 'registry', certificates: 'certificates',
  paths: 'paths', speed: 'response times', drops: 'big drops of requests', week: 'the week of requests' };
const STATES = { learnt: 'learnt', policy: 'by policy', learning: 'learning', not_measured: 'not measured' };
const TAGS = { learnt: 'ok', policy: 'ok', learning: 'info', not_measured: 'silent' };

export const young = (service) => service.learning.filter((l) => l.state === 'learning');

function Learning({ rows }) {
  if (!rows?.length) return null;
  const learnt = rows.filter((l) => l.state === 'learnt' || l.state === 'policy').length;
  return html`<details class="learning"><summary>What is judged: ${learnt} of ${rows.length}</summary><div class="scroll"><table>
    <thead><tr><th>what</th><th>state</th><th>measured since</th><th>judged from</th></tr></thead>
    <tbody>${rows.map((l) => html`<tr><td>${ABILITIES[l.ability] ?? l.ability}</td>
      <td><span class="tag ${TAGS[l.state]}">${STATES[l.state]}</span></td><td>${l.since_us ? instant(l.since_us) : dash}</td>
      <td>${l.state === 'policy' ? 'the first minute' : l.ready_us ? instant(l.ready_us) : dash}</td></tr>`)}</tbody></table></div></details>`;
}

export function Service({ name, learning, beat, incidents, now }) {
  const [width, setWidth] = useState(SPANS[0][1]);
  const [data, setData] = useState(null);
  const [fault, setFault] = useState(null);

  useEffect(() => {
    let gone = false;
    const step = SPANS.find(([, us]) => us === width)[2];
    Promise.all([
      get('series', { service: name, from: Math.round(now - width), until: now, step }),
      get('paths', { service: name }),
      get(`services/${encodeURIComponent(name)}`),
    ]).then(([series, { paths }, about]) => {
      if (gone) return;
      setData({ series, paths, about });
      setFault(null);
    }, (e) => gone || setFault(e.message));
    return () => { gone = true; };
  }, [beat, width]);

  const shaded = incidents.filter((i) => i.services?.includes(name))
    .map((i) => ({ from: began(i), until: ended(i, now) }));
  const series = data?.series;
  return html`<section class="card">
    <h2>${name} ${data?.about.service.url && html`<span class="muted">${data.about.service.url}</span>`}</h2>
    ${fault && html`<p class="failed" role="alert">${fault}</p>`}
    <p class="choices">${SPANS.map(([label, us]) => html`<button aria-pressed=${String(us === width)} onClick=${() => setWidth(us)}>${label}</button>`)}</p>
    ${series && html`<div class="charts">
      <${Chart} title="Response time" at=${series.at_us} format=${duration} incidents=${shaded}
        lines=${[{ label: 'p50', values: series.response_p50_us, colour: '--calm' },
          { label: 'p90', values: series.response_p90_us, colour: '--warn' },
          { label: 'check', values: series.check_total_us, colour: '--soft' }]} />
      <${Chart} title="Requests a second" at=${series.at_us} format=${(v) => v.toFixed(v < 10 ? 1 : 0)} incidents=${shaded}
        lines=${[{ label: 'requests', values: series.requests_per_second, colour: '--calm' },
          { label: 'failures', values: perSecond(failures(series), series.step_us), colour: '--bad' }]} />
    </div>`}
    ${data && html`<h2>The way there</h2><${Paths} rows=${data.paths} /><${Names} rows=${data.about.names} />`}
    <${Learning} rows=${learning} />
  </section>`;
}
