/**
 * A script for a POSIX shell that tells what is on a machine: a line for each thing, its words parted by tabs, texts in
 * base64. It changes nothing. Each of its arguments is a path of a file to tell of, or of a folder whose YAML files are meant;
 * without any it looks at all that is known to matter.
 */
export const surveyScript = String.raw`
export LC_ALL=C
say() { printf '%s' "$1"; shift; [ $# -eq 0 ] || printf '\t%s' "$@"; echo; }
coded() { head -c 65536 | base64 -w 0; }
file() {
  [ -f "$1" ] || return 0
  set -- "$1" $(stat -L -c '%a %u %g %s' -- "$1") "$(sha256sum < "$1" | cut -c 1-64)"
  [ $# -eq 6 ] || return 0
  if [ "$5" -gt 65536 ]; then say file "$@"
  elif grep -q -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' "$1"; then
    say file "$@" "$(sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p' "$1" | coded)"
  else say file "$@" "$(coded < "$1")"
  fi
}
if [ $# -gt 0 ]; then
  for path; do
    if [ -d "$path" ]; then for part in "$path"/*.y*ml; do file "$part"; done
    else file "$path"
    fi
  done
  exit 0
fi

say hostname "$(cat /proc/sys/kernel/hostname)"
say time "$(date +%s.%N)"
say os "$(coded < /etc/os-release)"
say arch "$(uname -m)"
say kernel "$(uname -r)"
say init "$(cat /proc/1/comm)"
say cgroup "$(stat -f -c %T /sys/fs/cgroup)"
say memory $(awk '$1 == "MemTotal:" || $1 == "SwapTotal:" { print $2 }' /proc/meminfo)
for path in /usr/local/bin /etc /var/lib /run; do
  say disk "$path" "$(df -P -B1 "$path" | awk 'NR == 2 { print $4 }')"
done
modprobe -n -q overlay || grep -qw overlay /proc/filesystems && say feature overlay
modprobe -n -q br_netfilter || [ -d /proc/sys/net/bridge ] && say feature brNetfilter
modprobe -n -q nf_tables || nft list tables > /dev/null && say feature nfTables
[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] && say feature ipForward
awk '$4 == "0A" { print "port\t" $2 }' /proc/net/tcp /proc/net/tcp6
ip -o address show | awk '{ sub("/.*", "", $4); print "address\t" $4 }'

units="kubelet kube-proxy k3s k3s-agent rke2-server rke2-agent containerd docker crio edge-lite yurthub edgecore lite-apiserver"
for unit in $units; do
  shown=$(systemctl show -p LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,EnvironmentFiles,MainPID "$unit.service")
  case $shown in
    *LoadState=loaded*) say unit "$unit.service" "$(printf '%s' "$shown" | coded)" "$(systemctl cat "$unit.service" | coded)" ;;
  esac
done
for process in /proc/[0-9]*; do
  read -r program < "$process/comm" || continue
  case $program in
    kubelet | kube-proxy | kube-apiserver | containerd | dockerd | crio | k3s* | rke2* | edge-lite | yurthub | edgecore)
      say process "$(basename "$process")" "$(coded < "$process/cmdline")" ;;
  esac
  [ "$program" != kube-proxy ] || grep -q '^tcp' "$process/root/etc/protocols" || say no-protocols "$(basename "$process")"
done

for path in / /etc /etc/systemd/system /etc/systemd/system/multi-user.target.wants /usr/local/bin /var/lib \
  /etc/kubernetes /etc/kubernetes/manifests /var/lib/kubelet /etc/selvedge /var/lib/selvedge /var/lib/selvedge-installer \
  /etc/cni/net.d /opt/cni/bin /usr/lib/cni /var/lib/yurthub /etc/kubeedge /var/lib/edged \
  /etc/rancher/k3s /etc/rancher/k3s/config.yaml.d /var/lib/rancher/k3s/agent /var/lib/rancher/k3s/server \
  /etc/rancher/rke2 /etc/rancher/rke2/config.yaml.d /var/lib/rancher/rke2/agent /var/lib/rancher/rke2/server; do
  [ -d "$path" ] && say folder "$path"
done
for path in /run/containerd/containerd.sock /run/k3s/containerd/containerd.sock /run/crio/crio.sock /run/cri-dockerd.sock; do
  [ -S "$path" ] && say socket "$path"
done
ls -1 /etc/cni/net.d | head -n 50 | while read -r name; do say cni-config "/etc/cni/net.d/$name"; done
for folder in /opt/cni/bin /usr/lib/cni; do
  [ -d "$folder" ] && say cni-binaries "$folder" $(ls -1 "$folder" | head -n 100)
done
for name in ip nft iptables conntrack modprobe systemctl journalctl flock gzip base64 sha256sum awk containerd runc \
  kubelet kubeadm k3s rke2 crictl edge-lite; do
  path=$(command -v "$name") && say program "$name" "$path"
done
[ -x /usr/local/bin/edge-lite ] && say version "$(timeout 20 /usr/local/bin/edge-lite --version | head -n 1)"
[ -s /var/lib/selvedge-installer/journal ] && say journal

for path in /etc/kubernetes/kubelet.conf /etc/kubernetes/bootstrap-kubelet.conf /etc/kubernetes/manifests/*.yaml \
  /etc/kubernetes/pki/ca.crt /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env \
  /var/lib/kubelet/instance-config.yaml /var/lib/kubelet/pki/kubelet-client-current.pem \
  /etc/default/kubelet /etc/sysconfig/kubelet /etc/selvedge/edge-lite.yaml /etc/systemd/system/edge-lite.service \
  /usr/local/bin/edge-lite /var/lib/selvedge/pki/ca.crt; do
  file "$path"
done
for name in k3s rke2; do
  for path in /etc/rancher/$name/config.yaml /etc/rancher/$name/config.yaml.d/*.y*ml /etc/default/$name-agent \
    /etc/sysconfig/$name-agent /etc/systemd/system/$name-agent.service.env /usr/local/lib/systemd/system/$name-agent.env \
    /var/lib/rancher/$name/agent/kubelet.kubeconfig /var/lib/rancher/$name/agent/kubeproxy.kubeconfig \
    /var/lib/rancher/$name/agent/client-kubelet.crt /var/lib/rancher/$name/agent/client-kube-proxy.crt \
    /var/lib/rancher/$name/agent/client-ca.crt /var/lib/rancher/$name/agent/server-ca.crt \
    /var/lib/rancher/$name/agent/etc/*.json /var/lib/rancher/$name/agent/etc/kubelet.conf.d/*.conf; do
    file "$path"
  done
done
exit 0`;
