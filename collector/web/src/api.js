// The collector's API, and what it says by itself (server-sent events).

export async function get(path) {
  const answer = await fetch(path, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${answer.statusText}`);
  return answer.json();
}

export const ofService = (name, what, query = '') =>
  get(`/api/v1/services/${encodeURIComponent(name)}/${what}${query}`);

// Calls back on every incident and tick; the browser reconnects by itself. Returns how to stop.
export function listen({ incident, tick, state }) {
  const events = new EventSource('/api/v1/events');
  events.addEventListener('incident', (e) => incident(JSON.parse(e.data)));
  events.addEventListener('tick', (e) => tick(JSON.parse(e.data)));
  events.onopen = () => state(true);
  events.onerror = () => state(false);
  return () => events.close();
}
