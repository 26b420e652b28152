// The small Lloyd of the sandbox. It gives the library's bits: the canonical squared distance,
// ties to the lowest index, exact means and objectives rounded once, and the library's rule for
// clusters that lost all their points. A test compares it with truemeans.k_means.

// float64 squared differences, added from the first column to the last.
function sqDist(a, b) {
  let sum = 0;
  for (let f = 0; f < a.length; f++) {
    const e = a[f] - b[f];
    sum += e * e;
  }
  return sum;
}

function nearest(point, centroids) {
  let best = 0;
  let least = Infinity;
  centroids.forEach((centroid, j) => {
    const d = sqDist(point, centroid);
    if (d < least) [best, least] = [j, d];
  });
  return best;
}

const sizesOf = (labels, k) => [...Array(k)].map((_, j) => labels.filter((l) => l === j).length);
const assignAll = (points, centroids) => points.map((point) => nearest(point, centroids));

// A float64 as an integer number of units of 2^-1074, which every float64 is.
const UNIT = 1074n;
const bits = new DataView(new ArrayBuffer(8));
function units(value) {
  bits.setFloat64(0, value);
  const high = bits.getUint32(0);
  const exponent = (high >>> 20) & 0x7ff;
  let mantissa = (BigInt(high & 0xfffff) << 32n) | BigInt(bits.getUint32(4));
  if (exponent) mantissa |= 1n << 52n;
  const shifted = mantissa << BigInt(Math.max(exponent - 1, 0));
  return high >>> 31 ? -shifted : shifted;
}

// The float64 nearest to numerator / (denominator 2^scale). Right for normal numbers: sixty-odd
// bits of the quotient and one that stands for all the rest are rounded once, by Number().
function rounded(numerator, denominator, scale) {
  if (numerator === 0n) return 0;
  const size = (n) => 4 * n.toString(16).length;
  let n = numerator < 0n ? -numerator : numerator;
  let d = denominator;
  const shift = 62 - (size(n) - size(d));
  if (shift > 0) n <<= BigInt(shift);
  else d <<= BigInt(-shift);
  const quotient = ((n / d) << 1n) | (n % d ? 1n : 0n);
  const value = Number(quotient) * 2 ** (-shift - 1 - Number(scale));
  return numerator < 0n ? -value : value;
}

// The mean of points, each feature an exact sum divided and rounded once.
function meanOf(points) {
  const count = BigInt(points.length);
  return points[0].map((_, f) => {
    const sum = points.reduce((total, point) => total + units(point[f]), 0n);
    return rounded(sum, count, UNIT);
  });
}

// The sum of squared distances to the own centroid, exact and rounded once.
function objective(points, labels, centroids) {
  let sum = 0n;
  points.forEach((point, i) => {
    centroids[labels[i]].forEach((value, f) => {
      const e = units(point[f]) - units(value);
      sum += e * e;
    });
  });
  return rounded(sum, 1n, 2n * UNIT);
}

function lexicographic(a, b) {
  for (let f = 0; f < a.length; f++) if (a[f] !== b[f]) return a[f] - b[f];
  return 0;
}

// Labels in which every empty cluster, in index order, has taken over the points at the place
// whose number of points × squared distance to their own centroid is largest: no place where that
// is zero, none that is all its cluster has.
function refilled(points, labels, centroids) {
  const counts = sizesOf(labels, centroids.length);
  const empty = counts.flatMap((count, j) => (count ? [] : [j]));
  if (!empty.length) return labels;
  const order = points.map((_, i) => i).sort((a, b) => lexicographic(points[a], points[b]));
  const places = [];
  for (const i of order) {
    const last = places.at(-1);
    if (last && !lexicographic(points[last.rows[0]], points[i])) last.rows.push(i);
    else places.push({ rows: [i] });
  }
  for (const place of places) {
    place.from = labels[place.rows[0]];
    place.cost = place.rows.length * sqDist(points[place.rows[0]], centroids[place.from]);
  }
  const grouped = [...labels];
  const far = places.filter((place) => place.cost > 0).sort((a, b) => b.cost - a.cost);
  for (const { rows, from } of far.slice(0, 4 * empty.length + 16)) {
    if (!empty.length) break;
    if (counts[from] === rows.length) continue;
    counts[from] -= rows.length;
    const to = empty.shift();
    for (const i of rows) grouped[i] = to;
  }
  return grouped;
}

// The update step: the means of the points of each cluster.
function updateAll(points, labels, centroids) {
  const grouped = refilled(points, labels, centroids);
  return centroids.map((centroid, j) => {
    const own = points.filter((_, i) => grouped[i] === j);
    return own.length ? meanOf(own) : centroid;
  });
}

// Rounds of both steps until the centroids stay where they are, as the library counts them.
function lloyd(points, start, maxIter = 300) {
  let centroids = start;
  for (let nIter = 1; ; nIter++) {
    const moved = updateAll(points, assignAll(points, centroids), centroids);
    const converged = moved.every((centroid, j) => !lexicographic(centroid, centroids[j]));
    centroids = moved;
    if (converged || nIter === maxIter) {
      const labels = assignAll(points, centroids);
      return { centroids, labels, nIter, converged, inertia: objective(points, labels, centroids) };
    }
  }
}
