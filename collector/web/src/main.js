// The page: incidents first, then services; one service opened below.
import 'uplot/dist/uPlot.min.css';
import './app.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { get, listen } from './api.js';
import { Incidents } from './incidents.js';
import { Service } from './service.js';
import { dash, duration, instant, rate, share } from './format.js';

function Services({ services, chosen, choose }) {
  return html`<table class="services">
    <thead><tr><th>service</th><th>state</th><th class="number">requests</th><th class="number">response p50</th>
      <th class="number">p90</th><th class="number">check</th><th class="number">failures</th><th class="number">probes</th><th>last seen</th></tr></thead>
    <tbody>${services.map((s) => html`<tr class="choice ${s.name === chosen ? 'chosen' : ''}" tabindex="0"
        onClick=${() => choose(s.name)} onKeyDown=${(e) => e.key === 'Enter' && choose(s.name)}>
      <td>${s.name}</td>
      <td><span class="tag ${s.state === 'incident' ? 'page' : s.state === 'ok' ? 'ok' : 'info'}">${s.state}</span></td>
      <td class="number">${rate(s.requests_per_second)}</td><td class="number">${duration(s.response_p50_us)}</td>
      <td class="number">${duration(s.response_p90_us)}</td><td class="number">${duration(s.check_total_us)}</td>
      <td class="number">${share(s.failure_ratio)}</td><td class="number">${s.probes ?? dash}</td><td>${instant(s.last_seen_us)}</td>
    </tr>`)}</tbody></table>`;
}

function Probes({ probes }) {
  return html`<table class="probes">
    <thead><tr><th>probe</th><th>role</th><th>site</th><th>network</th><th>version</th><th class="number">dropped</th><th>last seen</th></tr></thead>
    <tbody>${probes.map((p) => html`<tr><td>${p.name}</td><td>${p.role ?? ''}</td><td>${p.site ?? ''}</td>
      <td>${p.network ? `${p.network.country ?? ''} AS${p.network.asn ?? '?'}` : ''}</td><td>${p.version ?? ''}</td>
      <td class="number">${p.dropped_observations ?? dash}</td><td>${instant(p.last_seen_us)}</td></tr>`)}</tbody></table>`;
}

function Page() {
  const [all, setAll] = useState({ services: [], incidents: [], probes: [] });
  const [chosen, choose] = useState(decodeURIComponent(location.hash.slice(1)) || null);
  const [beat, setBeat] = useState(0);
  const [now, setNow] = useState(Date.now() * 1000);
  const [live, setLive] = useState(false);
  const [fault, setFault] = useState(null);

  useEffect(() => listen({
    incident: () => setBeat((n) => n + 1),
    tick: (t) => { setNow(t.rx_us); setBeat((n) => n + 1); },
    state: setLive,
  }), []);
  useEffect(() => {
    Promise.all(['services', 'incidents?limit=50', 'probes'].map((what) => get(`/api/v1/${what}`)))
      .then(([s, i, p]) => { setAll({ ...s, ...i, ...p }); setFault(null); }, (e) => setFault(e.message));
  }, [beat]);
  useEffect(() => { if (chosen) history.replaceState(null, '', `#${encodeURIComponent(chosen)}`); }, [chosen]);

  const shown = chosen ?? all.incidents[0]?.services?.[0] ?? all.services[0]?.name;
  return html`<main>
    <header><h1>astray</h1><span class="state">${live ? 'live' : 'not connected'} · ${instant(now)}</span></header>
    ${fault && html`<p class="failed">${fault}</p>`}
    <${Incidents} incidents=${all.incidents} now=${now} />
    <h2>Services</h2>
    <div class="card"><${Services} services=${all.services} chosen=${shown} choose=${choose} /></div>
    ${shown && html`<${Service} key=${shown} name=${shown} beat=${beat} incidents=${all.incidents} now=${now} />`}
    <h2>Probes</h2>
    <div class="card"><${Probes} probes=${all.probes} /></div>
  </main>`;
}

render(html`<${Page} />`, document.body);
