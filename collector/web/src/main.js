// The page: incidents first, then services; one service opened below.
import 'uplot/dist/uPlot.min.css';
import './app.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { get, listen } from './api.js';
import { Incidents, isOpen } from './incidents.js';
import { Service, young } from './service.js';
import { bytes, dash, duration, instant, rate, share } from './format.js';

function Services({ services, chosen, choose }) {
  const pick = (name) => (e) => {
    if (e.key && e.key !== 'Enter' && e.key !== ' ') return;
    e.preventDefault();
    choose(name);
  };
  return html`<table class="services">
    <thead><tr><th>service</th><th>state</th><th class="number">requests</th><th class="number">response p50</th>
      <th class="number">p90</th><th class="number">check</th><th class="number">failures</th><th class="number">probes</th><th>last seen</th><th>learnt</th></tr></thead>
    <tbody>${services.map((s) => html`<tr key=${s.name} class="choice ${s.name === chosen ? 'chosen' : ''}" tabindex="0"
        aria-selected=${String(s.name === chosen)} onClick=${pick(s.name)} onKeyDown=${pick(s.name)}>
      <td><b>${s.name}</b></td><td><span class="tag ${s.state}">${s.state}</span></td>
      <td class="number">${rate(s.requests_per_second)}</td><td class="number">${duration(s.response_p50_us)}</td>
      <td class="number">${duration(s.response_p90_us)}</td><td class="number">${duration(s.check_total_us)}</td>
      <td class="number">${share(s.failure_ratio)}</td><td class="number">${s.probes}</td><td>${instant(s.last_seen_us)}</td>
      <td>${young(s).length ? html`<span class="tag info" title=${young(s).map((l) => l.ability).join(', ')}>${young(s).length} still learning</span>` : ''}</td>
    </tr>`)}</tbody></table>
    ${services.length === 0 && html`<p class="muted">No service is configured: name some under "services" in the collector's configuration.</p>`}`;
}

function Probes({ probes }) {
  return html`<table class="probes">
    <thead><tr><th>probe</th><th>state</th><th>role</th><th>site</th><th>network</th><th>version</th>
      <th class="number">behind</th><th class="number">memory</th><th class="number">dropped</th><th>last seen</th></tr></thead>
    <tbody>${probes.map((p) => html`<tr key=${p.name}><td>${p.name}</td>
      <td><span class="tag ${p.state === 'live' ? 'ok' : 'silent'}">${p.state}</span></td>
      <td>${p.hello?.role ?? dash}</td><td>${p.site || dash}</td>
      <td>${p.hello?.network ? `${p.hello.network.country ?? ''} AS${p.hello.network.asn ?? '?'}` : dash}</td>
      <td>${p.hello?.version ?? dash}</td><td class="number">${duration(p.behind_us)}</td>
      <td class="number">${bytes(p.health?.rss_bytes)}</td>
      <td class="number">${p.health?.dropped_observations ?? dash}</td><td>${instant(p.last_seen_us)}</td></tr>`)}</tbody></table>
    ${probes.length === 0 && html`<p class="muted">No probe has reported yet.</p>`}`;
}

const inAddress = () => {
  try { return decodeURIComponent(location.hash.slice(1)) || null; } catch { return null; }
};

function Page() {
  const [all, setAll] = useState(null);
  const [about, setAbout] = useState({ version: '', geo: '', token: false });
  const [chosen, choose] = useState(inAddress());
  const [beat, setBeat] = useState(0);
  const [live, setLive] = useState(false);
  const [fault, setFault] = useState(null);
  const again = () => setBeat((n) => n + 1);

  useEffect(() => listen({ incident: again, tick: again, state: setLive }), []);
  useEffect(() => {
    const moved = () => choose(inAddress());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  useEffect(() => { get('about').then(setAbout, (e) => setFault(e.message)); }, []);
  useEffect(() => {
    Promise.all([get('services'), get('incidents', { limit: 50 }), get('probes')])
      .then(([s, i, p]) => { setAll({ ...s, ...i, ...p }); setFault(null); }, (e) => setFault(e.message));
  }, [beat]);
  useEffect(() => { if (chosen) history.replaceState(null, '', `#${encodeURIComponent(chosen)}`); }, [chosen]);
  useEffect(() => {
    const waiting = all?.incidents.filter((i) => isOpen(i) && i.severity === 'page').length ?? 0;
    document.title = waiting ? `(${waiting}) astray` : 'astray';
  }, [all]);

  if (!all) return html`<main><p class=${fault ? 'failed' : 'muted'}>${fault ?? 'asking the collector …'}</p></main>`;
  const known = (name) => all.services.some((s) => s.name === name);
  const shown = [chosen, ...all.incidents.filter(isOpen).flatMap((i) => i.services ?? []), all.services[0]?.name].find(known);
  return html`<main>
    <header><h1>astray</h1><span class="muted">${about.version}</span>
      <span class="state"><i class=${live ? 'dot on' : 'dot'}></i>${live ? 'live' : 'not connected'} · ${instant(all.now_us)}</span></header>
    ${fault && html`<p class="failed" role="alert">${fault}</p>`}
    <${Incidents} incidents=${all.incidents} now=${all.now_us} needsToken=${about.token} changed=${again} choose=${choose} />
    <h2>Services</h2>
    <div class="card scroll"><${Services} services=${all.services} chosen=${shown} choose=${choose} /></div>
    ${shown && html`<${Service} key=${shown} name=${shown} learning=${all.services.find((s) => s.name === shown)?.learning} beat=${beat} incidents=${all.incidents} now=${all.now_us} />`}
    <h2>Probes</h2>
    <div class="card scroll"><${Probes} probes=${all.probes} /></div>
    ${about.geo && html`<footer>${about.geo}</footer>`}
  </main>`;
}

render(html`<${Page} />`, document.body);
