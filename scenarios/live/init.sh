#!/bin/busybox sh
# The first process on the live discs: finds the medium that the kernel was loaded from, compares every file of the
# system with its checksum, and asks for a login on the screen.
#
# Words of the kernel's command line:
#   harbour.label=LABEL  the medium is the volume with this label
#   harbour.stamp=TEXT   the medium has this text in its file .stamp
#   harbour.store=PATH   where the system's files are on it
#   harbour.tty=NUMBER   the console that asks for the login: 1 is the one that the kernel's messages scroll [default: 2]

/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

# A failure leaves a shell, as a distribution's initial file system does.
stop() {
    echo
    echo "$1"
    echo "Harbour cannot start. The shell below is that of the initial file system."
    exec setsid cttyhack sh
}

while read -r module; do
    insmod "/lib/modules/$module.ko" 2>/dev/null
done </lib/modules/order

label=
stamp=
store=/harbour
tty=2
for word in $(cat /proc/cmdline); do
    case $word in
        harbour.label=*) label=${word#*=} ;;
        harbour.stamp=*) stamp=${word#*=} ;;
        harbour.store=*) store=${word#*=} ;;
        harbour.tty=*) tty=${word#*=} ;;
    esac
done

# Mounts the medium, if it is there already.
look() {
    if [ -n "$label" ]; then
        device=$(findfs "LABEL=$label" 2>/dev/null)
        [ -n "$device" ] && mount -r -t iso9660 "$device" /medium 2>/dev/null
        return
    fi
    for device in /dev/sr* /dev/sd* /dev/vd*; do
        [ -b "$device" ] || continue
        mount -r -t iso9660 "$device" /medium 2>/dev/null || continue
        [ "$(cat /medium/.stamp 2>/dev/null)" = "$stamp" ] && return 0
        umount /medium
    done
    return 1
}

echo "Harbour: waiting for the medium ${label:+with the label $label}${stamp:+with the stamp $stamp}"
# A USB stick takes seconds to appear.
tries=0
until look; do
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || stop "Harbour: no medium ${label:+with the label $label}${stamp:+with the stamp $stamp} was found"
    sleep 1
done
echo "Harbour: the medium is $device"

cd "/medium$store" 2>/dev/null || stop "Harbour: $store is not on the medium"
sha256sum -c sums >/run/sums 2>&1 || stop "Harbour: damaged: $(grep -v ': OK$' /run/sums | head -n 3)"
echo "Harbour: $(grep -c ': OK$' /run/sums) files are as they should be"
cd /

hostname harbour
echo 'Harbour 4.2 \l' >/etc/issue
# The kernel's messages stay on the first console.
[ "$tty" = 1 ] || chvt "$tty"
while :; do
    setsid getty 38400 "tty$tty"
    sleep 1
done
