# A machine of its own, whose programs ask systemd-resolved: below an empty
# directory $1, with the daemon $2. Its link has a name server, as from DHCP; $3 are
# more lines of resolved.conf. It must be run in new namespaces of all kinds.
set -eu
dir=$1 resolved=$2
files=$(dirname "$0")
cp -a /etc "$dir/etc"
grep -q '^systemd-resolve:' "$dir/etc/passwd" || echo 'systemd-resolve:x:65533:65533::/:/bin/false' >>"$dir/etc/passwd"
grep -q '^systemd-resolve:' "$dir/etc/group" || echo 'systemd-resolve:x:65533:' >>"$dir/etc/group"
rm -rf "$dir/etc/resolv.conf" "$dir/etc/systemd"
mkdir "$dir/etc/systemd" "$dir/bin"
printf '[Resolve]\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\n%s\n' "$3" >"$dir/etc/systemd/resolved.conf"
ln -s ../run/systemd/resolve/stub-resolv.conf "$dir/etc/resolv.conf"
mount --bind "$dir/etc" /etc
mkdir -p /run/systemd /run/dbus
mount -t tmpfs tmpfs /run/systemd
mount -t tmpfs tmpfs /run/dbus
mkdir -p /run/systemd/resolve /run/systemd/netif/links
chown systemd-resolve: /run/systemd/resolve

ip link set lo up
ip link add out type veth peer name beyond
ip link set beyond up
ip link set out up
ip addr add 192.0.2.1/24 dev out
ip route add default via 192.0.2.254
ip addr add 192.0.2.53/32 dev lo
printf 'ADMIN_STATE=configured\nOPER_STATE=routable\nDNS=192.0.2.53\nDNS_DEFAULT_ROUTE=yes\n' \
	>"/run/systemd/netif/links/$(ip -o link show out | cut -d: -f1)"
python3 "$files/outside.py" 192.0.2.53 "$dir/asked" &

# What systemctl does of it: the unit has no reload.
cat >"$dir/bin/systemctl" <<EOF
#!/bin/sh
[ "\$*" = "reload-or-restart systemd-resolved" ] || exit 1
[ ! -e "$dir/pid" ] || { kill \$(cat "$dir/pid"); while kill -0 \$(cat "$dir/pid") 2>/dev/null; do sleep 0.05; done; }
rm -f /run/systemd/resolve/stub-resolv.conf
"$resolved" >>"$dir/resolved.log" 2>&1 </dev/null &
echo \$! >"$dir/pid"
for i in \$(seq 200); do [ -e /run/systemd/resolve/stub-resolv.conf ] && exit; sleep 0.05; done
exit 1
EOF
chmod +x "$dir/bin/systemctl"
PATH=$dir/bin:$PATH
systemctl reload-or-restart systemd-resolved

look() {
	for name in example.test gone.example.test neargate.internal www.example.org; do
		python3 -c 'import socket, sys
try: print(*sys.argv[1:], *sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[2], 80, socket.AF_INET)}))
except socket.gaierror as e: print(*sys.argv[1:], {socket.EAI_NONAME: "unknown", socket.EAI_AGAIN: "unanswered"}[e.errno])' "$1" "$name"
	done
}

neargate serve --data "$dir/data" --listen 127.0.0.1:4566 --domain example.test --dns 127.53.0.9:53 2>"$dir/serve.log" &
server=$!
for i in $(seq 200); do [ -e "$dir/data/access.json" ] && break; sleep 0.05; done
look before
: >"$dir/asked"
neargate dns install --data "$dir/data" 2>&1 || true
neargate dns install --data "$dir/data" 2>&1 || true
look installed
kill "$server"
wait "$server"
look stopped
sort -u "$dir/asked" | sed -n '/www/!s/^/asked /p' # whom the daemon has not remembered
neargate dns uninstall 2>&1
look after
ls "$dir/etc/systemd" | sed 's/^/left /'
