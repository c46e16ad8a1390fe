#!/bin/bash
# node-init.sh NAME ADDRESS FOLDER GATEWAY PODS PROXY_KUBECONFIG: process 1 of a node.
# Whatever Kubernetes keeps under a fixed path gets a private folder, so nodes never meet.
name=$1 address=$2 folder=$3 gateway=$4 pods=$5 proxy=$6
mount --make-rprivate /
hostname "$name"
mkdir -p /var/lib/{kubelet,containerd,cni} /var/log/{pods,containers}
mount -t tmpfs -o mode=755 node-run /run && mkdir -p /run/netns /run/lock
mount --bind "$folder/kubelet" /var/lib/kubelet       # sockets of device plug-ins live at this path
mount --bind "$folder/containerd" /var/lib/containerd
mount --bind "$folder/cni-state" /var/lib/cni
mount --bind "$folder/log/pods" /var/log/pods
mount --bind "$folder/log/containers" /var/log/containers
mount --make-rshared /                                # volumes with propagation want a shared root
for _ in $(seq 200); do ip link show eth0 >/dev/null 2>&1 && break; sleep 0.05; done
ip link set lo up; ip addr add "$address/24" dev eth0; ip link set eth0 up
ip route add default via "$gateway"
echo 1 >/proc/sys/net/ipv4/ip_forward
cd "$folder" || exit 1
containerd -c "$folder/containerd.toml" >"$folder/containerd.log" 2>&1 &
for _ in $(seq 200); do [ -S /run/containerd/containerd.sock ] && break; sleep 0.1; done
cat >/run/kubelet.sh <<K
kubelet --config $folder/kubelet.yaml --kubeconfig $folder/kubeconfig --hostname-override $name \
  --node-ip $address >>$folder/kubelet.log 2>&1 </dev/null & echo \$! >/run/kubelet.pid
K
. /run/kubelet.sh
# settings of connection tracking are the machine's: 0 leaves them alone
kube-proxy --kubeconfig "$proxy" --proxy-mode iptables --cluster-cidr "$pods" \
  --hostname-override "$name" --conntrack-max-per-core 0 --conntrack-min 0 \
  --conntrack-tcp-timeout-established 0s --conntrack-tcp-timeout-close-wait 0s \
  >"$folder/proxy.log" 2>&1 &
while :; do wait; sleep 1; done                       # process 1 reaps orphans, too
