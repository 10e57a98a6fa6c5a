const unescape = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** The mount points of `/proc/<pid>/mountinfo` in the order of mounting, with repetitions where mounts are stacked. */
export function parseMountPoints(mountinfo: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((path) => path !== undefined)
    .map(unescape);
}

/** Those at `folder` or below it. */
export function mountsBelow(points: readonly string[], folder: string): readonly string[] {
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`));
}
