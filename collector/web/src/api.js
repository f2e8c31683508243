// The collector's API, and what it says by itself (server-sent events).

async function answer(path, options) {
  const got = await fetch(path, options);
  const body = await got.json().catch(() => null);
  if (!got.ok) throw Object.assign(new Error(body?.error ?? `${path}: ${got.status}`), { status: got.status });
  return body;
}

export const get = (what, query = {}) => {
  const asked = new URLSearchParams(query).toString();
  return answer(`/api/v1/${what}${asked ? `?${asked}` : ''}`, { headers: { accept: 'application/json' } });
};

export const acknowledge = (id, order, token) =>
  answer(`/api/v1/incidents/${encodeURIComponent(id)}/acknowledge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(order),
  });

// Calls back on every incident and tick; the browser reconnects by itself. Returns how to stop.
export function listen({ incident, tick, state }) {
  const events = new EventSource('/api/v1/events');
  events.addEventListener('incident', () => incident());
  events.addEventListener('tick', (e) => tick(JSON.parse(e.data)));
  events.onopen = () => state(true);
  events.onerror = () => state(false);
  return () => events.close();
}
