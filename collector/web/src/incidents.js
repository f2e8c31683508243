// Incidents as an on-call engineer reads them: title, text, evidence in order of time.
import { html } from './html.js';
import { instant, span } from './format.js';

export const isOpen = (incident) => incident.state !== 'resolved';

export function Incident({ incident, now }) {
  const until = isOpen(incident) ? now : incident.resolved_us;
  return html`<article class="card incident ${isOpen(incident) ? 'open' : ''} ${incident.severity}" id=${incident.id}>
    <h3><span class="tag ${isOpen(incident) ? incident.severity : 'resolved'}">${isOpen(incident) ? incident.severity : 'resolved'}</span>${incident.title}</h3>
    <div class="meta">
      ${instant(incident.since_us ?? incident.rx_us)}
      ${until && incident.since_us ? ` · ${span(until - incident.since_us)}` : ''}
      ${incident.sites?.length ? ` · ${incident.sites.join(', ')}` : ''}
      ${incident.vantages?.length ? ` · seen by ${incident.vantages.join(', ')}` : ''}
    </div>
    <details open=${isOpen(incident)}>
      <summary class="muted">${incident.causes.join(' · ')}</summary>
      <pre>${incident.text}</pre>
      <table><tbody>${incident.evidence.map((e) => html`<tr>
        <td class="muted">${instant(e.rx_us)}</td><td>${e.cause}</td><td>${e.text}</td></tr>`)}</tbody></table>
    </details>
  </article>`;
}

export function Incidents({ incidents, now }) {
  const open = incidents.filter(isOpen);
  const past = incidents.filter((i) => !isOpen(i));
  return html`
    ${open.length ? open.map((i) => html`<${Incident} key=${i.id} incident=${i} now=${now} />`)
      : html`<div class="card"><span class="tag ok">quiet</span>No incident is open.</div>`}
    ${past.length > 0 && html`<details><summary class="muted">${past.length} resolved</summary>
      ${past.map((i) => html`<${Incident} key=${i.id} incident=${i} now=${now} />`)}</details>`}`;
}
