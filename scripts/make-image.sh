#!/bin/sh
# Makes a tiny image (about 2 MB) without a registry: a static busybox with its applets, sh, httpd, wget and the like.
# Usage: make-image.sh [NAME]     (default localhost/beemesh-demo:1; keep the localhost/ prefix, so that nobody pulls it)
#
# Repeatable: does nothing when the image is there. Honours CONTAINERS_CONF, or takes it from .setup/env. Exit 3: no
# Podman or no static busybox. The image runs `httpd -f -v -p 8080 -h /www` unless told otherwise.
set -eu
cd "$(dirname "$0")/.."
name=${1:-localhost/beemesh-demo:1}
fail() { echo "make-image: $*" >&2; exit 3; }

if [ -z "${CONTAINERS_CONF:-}" ] && [ -f .setup/env ]; then
  CONTAINERS_CONF=$(sed -n 's/^CONTAINERS_CONF=//p' .setup/env)
  if [ -n "$CONTAINERS_CONF" ]; then export CONTAINERS_CONF; else unset CONTAINERS_CONF; fi
fi
command -v podman > /dev/null || fail 'there is no podman here; run "npm run setup" first'
podman image exists "$name" && exit 0

rootfs=$(mktemp -d)
trap 'rm -rf "$rootfs"' EXIT
mkdir -p "$rootfs/bin" "$rootfs/etc" "$rootfs/tmp" "$rootfs/www" "$rootfs/root" "$rootfs/proc" "$rootfs/sys" "$rootfs/dev"
chmod 1777 "$rootfs/tmp"

# A busybox is static when it runs in a root of its own; without the right to chroot, when ldd says so.
find_busybox() {
  for busybox in $(command -v busybox.static) $(command -v busybox) /usr/lib/initramfs-tools/bin/busybox; do
    [ -x "$busybox" ] || continue
    cp "$busybox" "$rootfs/bin/busybox"
    if [ "$(id -u)" = 0 ]; then chroot "$rootfs" /bin/busybox true 2> /dev/null && return 0
    else ldd "$busybox" 2>&1 | grep -q -e 'not a dynamic' -e 'statically' && return 0; fi
  done
  return 1
}
find_busybox || { sh scripts/setup.sh --packages busybox-static && find_busybox; } || fail 'there is no static busybox, and it could not be installed'

for applet in $("$rootfs/bin/busybox" --list); do
  [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"
done
echo 'root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/sh' > "$rootfs/etc/passwd"
echo 'root:x:0:
nobody:x:65534:' > "$rootfs/etc/group"
echo 'hello from beemesh' > "$rootfs/www/index.html"

# ENV PATH because `podman kube play` adds no default PATH of its own, and then finds no command by its bare name.
tar -C "$rootfs" --owner=0 --group=0 -cf - . | podman import -q \
  -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  -c 'CMD ["httpd","-f","-v","-p","8080","-h","/www"]' - "$name" > /dev/null
podman image exists "$name" || fail "podman took the image but does not show $name"
