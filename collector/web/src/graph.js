// The hop graph: runs by network and country, before and now laid over each other.
import dagre from '@dagrejs/dagre';
import { html } from './html.js';
import { merge } from './path.js';
import { duration } from './format.js';

const head = (node) => (node.rtt_us == null ? node.title : `${node.title} · ${duration(node.rtt_us)}`);
const width = (node) => Math.max(90, 18 + 7 * Math.max(head(node).length, (node.detail ?? '').length));

export function Graph({ before, now }) {
  const { nodes, edges } = merge(before, now);
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 34, marginx: 6, marginy: 6 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) g.setNode(node.key, { width: width(node), height: 44 });
  for (const edge of edges) g.setEdge(edge.from, edge.to);
  dagre.layout(g);
  const size = g.graph();
  return html`<div class="graph-box"><svg class="graph" viewBox="0 0 ${size.width} ${size.height}" width=${size.width} role="img"
      aria-label="networks and countries on the way, before and now">
    ${edges.map((edge) => {
      const points = g.edge(edge.from, edge.to).points.map((p) => `${p.x},${p.y}`).join(' L');
      return html`<path class="edge ${edge.in}" d="M${points}" />`;
    })}
    ${nodes.map((node) => {
      const at = g.node(node.key);
      return html`<g class="node ${node.in}" transform="translate(${at.x - at.width / 2},${at.y - at.height / 2})">
        <rect width=${at.width} height=${at.height} rx="5" />
        <text x="8" y="17">${head(node)}</text>
        <text x="8" y="34" style="opacity:.65">${node.detail ?? ''}</text>
      </g>`;
    })}
  </svg></div>`;
}
