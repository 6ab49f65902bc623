#!/bin/busybox sh
# The guest's only program: a shell on the screen, and a few words on the serial port for who tests it.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ TERM=linux PS1='guest# '
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

for module in virtio_pci virtio_gpu bochs virtio_input psmouse evdev; do modprobe "$module"; done

# `hands` says on the serial port what the tablet, the mouse and the keyboard report: type, code and value a line,
# which stand behind 16 bytes of time.
cat >/bin/hands <<'H'
#!/bin/sh
# Linux looks for the mouse while it does other things.
until grep -q serio1 /proc/bus/input/devices; do usleep 100000; done
for device in /dev/input/event*; do
    hexdump -v -e '8/2 "%.0s" 1/2 "event %d" 1/2 " %d" 1/4 " %d\n"' "$device" >/dev/ttyS0 &
done
echo listening >/dev/ttyS0
H
# `modes` says which sizes the display has been offered, the wanted one first.
cat >/bin/modes <<'M'
#!/bin/sh
echo "modes" $(head -n 1 /sys/class/drm/card*-*/modes) >/dev/ttyS0
M
chmod 755 /bin/hands /bin/modes

# A cursor that blinks would be a picture that never stands still.
printf '\033[?25l' >/dev/tty1

while :; do
    echo "the screen is $(cat /sys/class/graphics/fb0/virtual_size 2>/dev/null)" >/dev/tty1
    echo ready >/dev/ttyS0
    setsid sh -c 'exec sh -i </dev/tty1 >/dev/tty1 2>&1'
done
