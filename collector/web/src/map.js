// The world with the path before and now; countries come from one static file.
import { geoNaturalEarth1, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';
import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { places } from './path.js';

const size = { width: 720, height: 330 };
const projection = geoNaturalEarth1().fitExtent([[4, 4], [size.width - 4, size.height - 4]], { type: 'Sphere' });
const draw = geoPath(projection);

function Route({ path, which }) {
  const points = places(path);
  const line = { type: 'LineString', coordinates: points.map((p) => p.at) };
  return html`<g>
    ${points.length > 1 && html`<path class="route ${which}" d=${draw(line)} />`}
    ${points.map((p) => {
      const [x, y] = projection(p.at);
      return html`<g><circle class=${which} cx=${x} cy=${y} r="3.5" /><text x=${x + 6} y=${y - 5}>${p.name}</text></g>`;
    })}
  </g>`;
}

export function WorldMap({ before, now }) {
  const [land, setLand] = useState(null);
  useEffect(() => {
    let gone = false;
    fetch('/assets/world.json').then((got) => got.json()).then((world) => gone || setLand(feature(world, world.objects.countries)), () => {});
    return () => { gone = true; };
  }, []);
  if (!places(before).length && !places(now).length)
    return html`<p class="muted">No hop has a place: give the probes or the collector a GeoIP database.</p>`;
  return html`<div class="map"><svg viewBox="0 0 ${size.width} ${size.height}" width="100%" role="img" aria-label="the path on the map">
    ${land && html`<path class="land" d=${draw(land)} />`}
    ${before && html`<${Route} path=${before} which="before" />`}
    <${Route} path=${now} which=${before ? 'now' : 'only'} />
  </svg></div>`;
}
