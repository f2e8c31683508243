// Paths as data: runs of hops in one network and country, and what two paths share.

const label = (hop) => {
  if (!hop.address) return null;
  const p = hop.place ?? {};
  const country = p.source === 'anycast' ? 'anycast' : p.country ?? '';
  return { key: `${p.asn ?? '?'}|${country}`, asn: p.asn, org: p.org, country, city: p.city };
};

// Neighbouring hops of one (ASN, country) make one run; silent hops stay with the run before.
export function runs(path) {
  const out = [];
  for (const hop of path?.hops ?? []) {
    const l = label(hop);
    const last = out[out.length - 1];
    if (!l && last) {
      last.silent += 1;
    } else if (last && last.key === l.key) {
      last.hops.push(hop);
      if (hop.rtt_us != null) last.rtt_us = hop.rtt_us;
    } else if (l) {
      out.push({ ...l, hops: [hop], silent: 0, rtt_us: hop.rtt_us });
    }
  }
  return out;
}

// Nodes and edges of both paths together; each says whether it is of before, now, or both.
export function merge(before, now) {
  const nodes = new Map();
  const edges = new Map();
  const walk = (path, which) => {
    if (!path) return;
    const seen = new Map();
    const chain = [{ key: 'probe', title: 'probe' }];
    for (const run of runs(path)) {
      const n = (seen.get(run.key) ?? 0) + 1;
      seen.set(run.key, n);
      chain.push({
        key: n > 1 ? `${run.key}#${n}` : run.key,
        title: [run.country, run.asn && `AS${run.asn}`].filter(Boolean).join(' ') || 'unknown',
        detail: [run.city, run.org, run.silent && `${run.silent} silent`].filter(Boolean).join(' · ') || `${run.hops.length} hops`,
        rtt_us: run.rtt_us,
      });
    }
    chain.push({ key: `peer ${path.peer}`, title: path.peer, detail: path.reached ? 'reached' : 'not reached' });
    chain.forEach((node, i) => {
      const old = nodes.get(node.key);
      nodes.set(node.key, { ...node, in: old ? 'both' : which });
      if (i === 0) return;
      const key = `${chain[i - 1].key}>${node.key}`;
      edges.set(key, { from: chain[i - 1].key, to: node.key, in: edges.has(key) ? 'both' : which });
    });
  };
  walk(before, before && now ? 'before' : 'only');
  walk(now, before && now ? 'now' : 'only');
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

// Hops of now in a network and country that the path before did not touch. Another router of the
// same network is no news: its load balancers choose one.
export function newHops(before, now) {
  const known = (hop) => (hop.place?.asn ? label(hop).key : hop.address);
  const old = new Set(before.hops.filter((hop) => hop.address).map(known));
  return new Set(now.hops.filter((hop) => hop.address && !old.has(known(hop))));
}

// The places that a path touches, in order, for the map.
export function places(path) {
  const out = [];
  for (const hop of path?.hops ?? []) {
    const p = hop.place;
    if (p?.latitude == null || p.verdict === 'impossible' || p.source === 'anycast') continue;
    const at = [p.longitude, p.latitude];
    const last = out[out.length - 1];
    if (!last || last.at[0] !== at[0] || last.at[1] !== at[1]) out.push({ at, name: p.city || p.country });
  }
  return out;
}
