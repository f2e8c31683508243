// Figures for people: units chosen by size, absent shown as a dash.

export const dash = '–';

export function duration(us) {
  if (us == null) return dash;
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 10_000) return `${(us / 1000).toFixed(1)} ms`;
  if (us < 10_000_000) return `${Math.round(us / 1000)} ms`;
  return `${(us / 1e6).toFixed(1)} s`;
}

export function span(us) {
  const s = Math.max(0, Math.round(us / 1e6));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} days`;
}

export function instant(us) {
  return us == null ? dash : new Date(us / 1000).toLocaleString('sv');
}

export function clock(us) {
  return new Date(us / 1000).toLocaleTimeString('sv');
}

export const words = (cause) => cause.replaceAll('_', ' ');

export function bytes(n) {
  if (n == null) return dash;
  return n < 1048576 ? `${Math.round(n / 1024)} KiB` : `${(n / 1048576).toFixed(1)} MiB`;
}

export function rate(perSecond) {
  if (perSecond == null) return dash;
  return perSecond >= 10 ? `${Math.round(perSecond)}/s` : `${perSecond.toFixed(perSecond >= 1 ? 1 : 2)}/s`;
}

export function share(ratio) {
  return ratio == null ? dash : `${(100 * ratio).toFixed(ratio < 0.1 ? 1 : 0)} %`;
}

export function place(p) {
  if (!p) return '';
  const where = p.source === 'anycast' ? 'anycast' : [p.city, p.country].filter(Boolean).join(', ');
  return p.verdict === 'impossible' ? `${where} (impossible)` : where;
}
