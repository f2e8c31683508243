// Incidents as an on-call engineer reads them: title, evidence in order of time, a hand to raise.
import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { acknowledge, get } from './api.js';
import { clock, instant, span, words } from './format.js';

export const isOpen = (incident) => incident.state !== 'resolved';

export const began = (incident) => incident.since_us ?? incident.rx_us;

export const ended = (incident, now) => (isOpen(incident) ? now : incident.rx_us);

function Acknowledge({ incident, needsToken, changed }) {
  const [by, setBy] = useState(localStorage.getItem('astray.by') ?? '');
  const [note, setNote] = useState('');
  const [token, setToken] = useState(sessionStorage.getItem('astray.token') ?? '');
  const [fault, setFault] = useState(null);
  const [busy, setBusy] = useState(false);

  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await acknowledge(incident.id, { by, note }, token);
      localStorage.setItem('astray.by', by);
      if (needsToken) sessionStorage.setItem('astray.token', token);
      setFault(null);
      changed();
    } catch (e) {
      setFault(e.message);
    }
    setBusy(false);
  };
  const field = (label, value, set, more = {}) => html`<input aria-label=${label} placeholder=${label}
    value=${value} onInput=${(e) => set(e.target.value)} ...${more} />`;
  return html`<form class="acknowledge" onSubmit=${send}>
    ${field('your name', by, setBy, { required: true, maxlength: 63, pattern: '[A-Za-z0-9._\\-]+', title: 'letters, digits and . _ -' })}
    ${field('note (what you are doing)', note, setNote, { maxlength: 200, class: 'wide' })}
    ${needsToken && field('token', token, setToken, { type: 'password', required: true })}
    <button type="submit" class="main" disabled=${busy}>Acknowledge</button>
    ${fault && html`<span class="failed" role="alert">${fault}</span>`}
  </form>`;
}

function Notes({ incident }) {
  const [notes, setNotes] = useState([]);
  useEffect(() => {
    let gone = false;
    get(`incidents/${encodeURIComponent(incident.id)}`).then((whole) => gone || setNotes(whole.notes), () => {});
    return () => { gone = true; };
  }, [incident.id, incident.rx_us]);
  return notes.map((n) => html`<p class="note">${instant(n.rx_us)} <b>${n.by}</b> acknowledged${n.note ? `: ${n.note}` : ''}</p>`);
}

function Evidence({ incident }) {
  const first = began(incident);
  const list = [...incident.evidence].sort((a, b) => a.rx_us - b.rx_us);
  return html`<ol class="evidence">${list.map((e) => html`<li>
    <span class="when" title=${instant(e.rx_us)}>${clock(e.rx_us)}<small> +${span(e.rx_us - first)}</small></span>
    <span class="cause">${words(e.cause)}</span><span class="what">${e.text}</span></li>`)}</ol>`;
}

export function Incident({ incident, now, needsToken, changed, choose }) {
  const open = isOpen(incident);
  const mark = open ? incident.severity : 'resolved';
  return html`<article class="card incident ${open ? 'open' : ''} ${incident.severity}" id=${incident.id}>
    <h3><span class="tag ${mark}">${mark}</span>${incident.state === 'acknowledged' && html`<span class="tag info">acknowledged</span>`}
      <span class="title">${incident.title}</span></h3>
    ${incident.part_of && html`<p class="note">Part of <button class="link" onClick=${() => document.getElementById(incident.part_of)?.scrollIntoView()}>${incident.part_of}</button>, which goes on with it.</p>`}
    <div class="meta">since ${instant(began(incident))} · ${open ? '' : 'lasted '}${span(ended(incident, now) - began(incident))}
      ${(incident.services ?? []).map((s) => html` · <button class="link" onClick=${() => choose(s)}>${s}</button>`)}
      ${incident.sites?.length > 0 && ` · ${incident.sites.join(', ')}`}
      ${incident.vantages?.length > 0 && ` · seen by ${incident.vantages.join(', ')}`}</div>
    ${open && incident.state !== 'acknowledged' && html`<${Acknowledge} ...${{ incident, needsToken, changed }} />`}
    ${incident.state === 'acknowledged' && html`<${Notes} incident=${incident} />`}
    <details open=${open}>
      <summary>Evidence: ${incident.causes.map(words).join(', ')}</summary>
      <${Evidence} incident=${incident} />
    </details>
    <details><summary>As it was sent</summary><pre>${incident.text}</pre></details>
  </article>`;
}

export function Incidents({ incidents, ...rest }) {
  const open = incidents.filter(isOpen);
  const past = incidents.filter((i) => !isOpen(i));
  return html`
    ${open.length ? open.map((i) => html`<${Incident} key=${i.id} incident=${i} ...${rest} />`)
      : html`<div class="card quiet"><span class="tag ok">quiet</span>No incident is open.</div>`}
    ${past.length > 0 && html`<details class="past"><summary>${past.length} resolved</summary>
      ${past.map((i) => html`<${Incident} key=${i.id} incident=${i} ...${rest} />`)}</details>`}`;
}
