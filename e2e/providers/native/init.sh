#!/bin/bash
# The first process of a native node, in its own mount, PID, network, IPC and UTS namespaces: makes the system's
# folders that containerd and the kubelet write to the node's own, then waits and reaps. Usage: init.sh FOLDER
set -euo pipefail
folder=$1
# /proc is still the machine's: the number of this process as those outside know it.
read -r pid _ </proc/self/stat

hostname penstock-node
mount --make-rshared /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 run /run
# Images and volumes in memory: quick to unpack, and gone at once.
mount -t tmpfs -o mode=755 lib /var/lib
mkdir "$folder/log"
mount --bind "$folder/log" /var/log
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward

echo "$pid" >"$folder/init.pid.new"
mv "$folder/init.pid.new" "$folder/init.pid"
while :; do
    sleep infinity &
    wait $!
done
