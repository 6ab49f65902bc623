#!/bin/sh
# Builds a small Linux guest for QEMU: Debian's kernel, busybox and init.sh, nothing else.
#
#   build.sh FOLDER [KERNEL.deb]
#
# makes FOLDER/kernel and FOLDER/initrd. Without a package, Debian's newest is downloaded by apt-get, which needs no
# root. Needs apt-get, dpkg-deb and, from busybox-static, a busybox that runs without libraries.
set -eu

main() {
    here=$(cd "$(dirname "$0")" && pwd)
    folder=${1:?usage: build.sh FOLDER [KERNEL.deb]}
    package=${2:+$(readlink -f "$2")}
    mkdir -p "$folder"
    cd "$folder"
    work=$(mktemp -d "$PWD/work.XXXXXX")
    # apt-get downloads as a user of its own, where it may.
    chmod 755 "$work"
    trap 'rm -rf "$work"' EXIT

    [ -n "$package" ] || package=$(download "$work")
    dpkg-deb --extract "$package" "$work/kernel"
    image=$(echo "$work"/kernel/boot/vmlinuz-*)
    version=${image##*/vmlinuz-}
    modules=$work/kernel/lib/modules
    [ -d "$modules" ] || modules=$work/kernel/usr/lib/modules

    ! ldd "$(command -v busybox)" >/dev/null 2>&1 || stop "busybox needs libraries: install busybox-static instead"
    root=$work/root
    mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/lib/modules/$version"
    cp "$(command -v busybox)" "$root/bin/busybox"
    install -m 755 "$here/init.sh" "$root/init"
    busybox depmod -b "${modules%/lib/modules}" "$version"
    needed "$modules/$version/modules.dep" >"$work/needed"
    while read -r file; do
        install -D -m 644 "$modules/$version/$file" "$root/lib/modules/$version/$file"
    done <"$work/needed"
    busybox depmod -b "$root" "$version"

    # What is there under its last name is whole.
    (cd "$root" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null | gzip -1) >"$work/initrd"
    unpack "$image" >"$work/vmlinux" 2>/dev/null || mv "$image" "$work/vmlinux"
    mv "$work/vmlinux" kernel
    mv "$work/initrd" initrd
}

# unpack IMAGE: the kernel in it. QEMU starts it as it is, and to unpack it here takes a tenth of the time that an
# emulated machine takes. Fails where the image is packed by something else than xz; then the machine does it.
unpack() {
    # Linux's boot protocol: how long the real-mode code is, where the packed kernel begins after it, and its length.
    sectors=$(od -A n -t u1 -j 497 -N 1 "$1")
    # shellcheck disable=SC2046
    set -- "$1" $(od -A n -t u4 -j 584 -N 8 "$1")
    tail -c +$((sectors * 512 + 512 + $2 + 1)) "$1" | head -c $(($3 - 4)) | xz -dc
}

# download FOLDER: the path of Debian's newest kernel package, in FOLDER.
download() {
    name=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
    [ -n "$name" ] || stop "apt-get knows no linux-image-amd64: run apt-get update, or name a kernel package"
    (cd "$1" && apt-get -q download "$name" >&2) || stop "apt-get cannot download $name: run apt-get update"
    echo "$1/$name"_*.deb
}

# needed MODULES.DEP: the files of the wanted modules and of all that they need.
needed() {
    for module in $MODULES; do
        # A module's name has `_` where its file may have `-`.
        file=$(echo "$module" | sed 's/_/[-_]/g')
        sed -n "\\,/$file\.ko[.a-z]*:,s/[: ][: ]*/\n/gp" "$1" | grep . || stop "the kernel has no module $module"
    done
}

# The display, the tablet, the mouse; and what lets programs read both.
MODULES="virtio_pci virtio_gpu bochs virtio_input psmouse evdev"

stop() {
    echo "build.sh: $*" >&2
    exit 1
}

main "$@"
