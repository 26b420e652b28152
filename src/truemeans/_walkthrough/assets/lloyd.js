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

// Labels in which every empty cluster, in index order, has taken over the point farthest from
// its own centroid: no point that equals a taken one, none that is alone in its cluster.
function refilled(points, labels, centroids) {
  const counts = centroids.map((_, j) => labels.filter((label) => label === j).length);
  const empty = counts.flatMap((count, j) => (count ? [] : [j]));
  if (!empty.length) return labels;
  const cost = points.map((point, i) => sqDist(point, centroids[labels[i]]));
  const falling = [...cost].sort((a, b) => b - a);
  const threshold = falling[Math.min(4 * empty.length + 16, cost.length) - 1];
  const rows = points.map((_, i) => i).filter((i) => cost[i] >= threshold && cost[i] > 0);
  rows.sort((a, b) => cost[b] - cost[a] || lexicographic(points[a], points[b]));
  const grouped = [...labels];
  const taken = [];
  for (const row of rows) {
    if (!empty.length) break;
    if (taken.some((other) => !lexicographic(points[other], points[row]))) continue;
    if (counts[labels[row]] < 2) continue;
    counts[labels[row]] -= 1;
    grouped[row] = empty.shift();
    taken.push(row);
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
