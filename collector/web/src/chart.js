// A chart over time, with incidents shaded. One uPlot kept alive while its data changes.
import uPlot from 'uplot';
import { useEffect, useRef } from 'preact/hooks';
import { html } from './html.js';
import { clock, dash, instant } from './format.js';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function shade(spans) {
  return (u) => {
    for (const { from, until } of spans.current) {
      const left = Math.max(u.valToPos(from / 1e6, 'x', true), u.bbox.left);
      const right = Math.min(u.valToPos(until / 1e6, 'x', true), u.bbox.left + u.bbox.width);
      if (right <= left) continue;
      u.ctx.fillStyle = colour('--shade');
      u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
    }
  };
}

export function Chart({ title, at, lines, format, incidents }) {
  const box = useRef(null);
  const plot = useRef(null);
  const spans = useRef([]);
  const data = [at.map((us) => us / 1e6), ...lines.map((line) => line.values)];
  spans.current = incidents;

  useEffect(() => {
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    plot.current = new uPlot({
      title,
      width: box.current.clientWidth,
      height: 210,
      cursor: { sync: { key: 'time' } },
      scales: { y: { range: (u, low, high) => [0, (high || 1) * 1.08] } },
      axes: [{ ...axis, space: 70, values: (u, ticks) => ticks.map((s) => clock(s * 1e6).slice(0, 5)) }, { ...axis, size: 64, values: (u, ticks) => ticks.map(format) }],
      series: [{ label: 'time', value: (u, s) => (s == null ? dash : instant(s * 1e6)) }, ...lines.map((line) => ({
        label: line.label, stroke: colour(line.colour), width: 1.5, spanGaps: false,
        value: (u, v) => (v == null ? dash : format(v)),
      }))],
      hooks: { drawClear: [shade(spans)] },
    }, data, box.current);
    const resize = new ResizeObserver(() => plot.current.setSize({ width: box.current.clientWidth, height: 210 }));
    resize.observe(box.current);
    return () => { resize.disconnect(); plot.current.destroy(); };
  }, []);
  useEffect(() => { plot.current?.setData(data); });
  return html`<div class="chart" ref=${box}></div>`;
}
