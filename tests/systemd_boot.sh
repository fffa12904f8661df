#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# systemd_boot.sh FOLDER: this machine's own system, booted by systemd in namespaces of its own; what it writes goes to
# FOLDER. Run as `unshare --pid --mount --uts --ipc --net --cgroup --fork --kill-child tests/systemd_boot.sh FOLDER`.
set -e
dir=$1 r=$1/root
mount --make-rprivate /
mkdir -p "$dir/upper" "$dir/work" "$r"
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$r"
mount -t proc proc "$r/proc"
mount --bind -o ro "$r/proc/sys" "$r/proc/sys" # this kernel is not ours to set
mount -o remount,bind,ro "$r/proc/sys"
mount -t sysfs -o ro sysfs "$r/sys"
mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
mount -t tmpfs tmpfs "$r/run"
mount -t tmpfs tmpfs "$r/tmp"
mount -t tmpfs tmpfs "$r/dev"
mkdir "$r/dev/pts" "$r/dev/shm" "$r/.old"
for d in null zero full random urandom tty; do
	touch "$r/dev/$d"
	mount --bind "/dev/$d" "$r/dev/$d"
done
ln -s /proc/self/fd "$r/dev/fd"
ln -s pts/ptmx "$r/dev/ptmx"
mount -t tmpfs tmpfs "$r/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$r/dev/pts"
# what this machine starts otherwise stays out
find "$r/etc/systemd/system" -name '*.wants' -exec rm -rf {} +
rm -f "$r/etc/systemd/system/default.target"
cd "$r"
pivot_root . .old
umount -l /.old
exec env -i container=stripwire-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --unit=basic.target --show-status=no
