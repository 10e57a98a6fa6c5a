export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** The line with the least squares through points `[x, y]`. Throws on fewer than two. Pure. */
export function lineThrough(points: readonly (readonly [number, number])[]): Line {
  if (points.length < 2) throw new RangeError('a line needs two points');
  const mean = (place: 0 | 1): number => points.reduce((sum, point) => sum + point[place], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  return { slope, intercept: meanY - slope * meanX };
}

export const valueAt = ({ slope, intercept }: Line, x: number): number => intercept + slope * x;
