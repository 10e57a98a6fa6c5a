import type { MaintainerScript } from './package.ts';

const shell = '#!/bin/sh\nset -e\n';

export interface UnitScriptsOptions {
  /** Runs before the unit is stopped, and before anything goes; `exit 0` in it leaves all as it is. */
  readonly beforeRemoval?: string;
}

/**
 * What a package with a unit does around its files, as debhelper's `dh_installsystemd --restart-after-upgrade` has it. Source:
 * Debian Policy, chapter 6; deb-systemd-helper(1). Nothing waits for the unit: it is ready once it knows its cluster, and
 * that may take longer than an upgrade has time.
 */
export function unitScripts(
  unit: string,
  { beforeRemoval = '' }: UnitScriptsOptions = {},
): Readonly<Record<Exclude<MaintainerScript, 'preinst'>, string>> {
  return {
    postinst: `${shell}
if [ "$1" = configure ]; then
  deb-systemd-helper unmask ${unit} >/dev/null || true
  if deb-systemd-helper --quiet was-enabled ${unit}; then
    deb-systemd-helper enable ${unit} >/dev/null || true
  else
    deb-systemd-helper update-state ${unit} >/dev/null || true
  fi
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    if [ -n "$2" ]; then
      systemctl --no-block try-restart ${unit} || true
    else
      systemctl --no-block start ${unit} || true
    fi
  fi
fi
`,
    prerm: `${shell}${beforeRemoval}
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl stop ${unit} || true
fi
`,
    postrm: `${shell}${beforeRemoval}
if [ "$1" = remove ]; then
  deb-systemd-helper mask ${unit} >/dev/null || true
fi
if [ "$1" = purge ]; then
  deb-systemd-helper purge ${unit} >/dev/null || true
  deb-systemd-helper unmask ${unit} >/dev/null || true
fi
if [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
`,
  };
}
