"""ad-dc-runner.py MODE ADDRESS READYFILE LISTEN:TARGET[,LISTEN:TARGET...] -- samba command
Listens on 127.0.0.1:LISTEN, runs the command (in a private network namespace for MODE=netns)
and forwards to ADDRESS:TARGET. Ends when the command ends, and ends the command when it ends."""
import asyncio, ctypes, errno, fcntl, os, signal, socket, struct, subprocess, sys, time
mode, addr, ready, fwd = sys.argv[1:5]; cmd = sys.argv[6:]
libc = ctypes.CDLL(None, use_errno=True)
NEWUSER, NEWNET = 0x10000000, 0x40000000

def listen(port):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', port)); s.listen(128); return s
# 1. the listening sockets are made first: they stay in the network namespace of this machine
pairs = [tuple(map(int, p.split(':'))) for p in fwd.split(',')]
socks = [(listen(l), t) for l, t in pairs]

# 2. leave for an empty network namespace, where only lo exists
def netns():
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(NEWNET) != 0:
        if libc.unshare(NEWUSER | NEWNET) != 0:                # without root: a user namespace as well
            raise OSError(ctypes.get_errno(), 'unshare: ' + os.strerror(ctypes.get_errno()))
        for f, v in (('setgroups', 'deny'), ('uid_map', '0 %d 1' % uid), ('gid_map', '0 %d 1' % gid)):
            with open('/proc/self/' + f, 'w') as h: h.write(v)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fl = struct.unpack('16sh', fcntl.ioctl(s, 0x8913, struct.pack('16sh14x', b'lo', 0))[:18])[1]
    fcntl.ioctl(s, 0x8914, struct.pack('16sh14x', b'lo', fl | 1))            # SIOCSIFFLAGS, IFF_UP
if mode == 'netns':
    try: netns()
    except OSError as e: print('NETNS-UNAVAILABLE', e, flush=True); sys.exit(77)

# 3. the command; it dies with this process (PDEATHSIG, and "samba -i" also ends at EOF of its stdin pipe)
child = subprocess.Popen(cmd, stdin=subprocess.PIPE, preexec_fn=lambda: libc.prctl(1, signal.SIGTERM, 0, 0, 0))

# 4. ready when the root DSE answers: bytes of "search base '' scope base (objectClass=*)"
REQ = bytes.fromhex('3025020101632004000a01000a0100020100020100010100870b6f626a656374436c6173733000')
def probe():
    with socket.create_connection((addr, pairs[0][1]), 1) as s:
        s.settimeout(5); s.sendall(REQ); return s.recv(16)[:1] == b'\x30'
end = time.time() + 30
while True:
    if child.poll() is not None: sys.exit('samba ended with %s' % child.returncode)
    try:
        if probe(): break
    except OSError: pass
    if time.time() > end: child.terminate(); sys.exit('samba did not answer in 30 s')
    time.sleep(0.03)
with open(ready, 'w') as h: h.write('%d\n' % child.pid)

# 5. forward
async def pump(r, w):
    try:
        while data := await r.read(262144): w.write(data); await w.drain()
    except (ConnectionError, OSError): pass
    finally:
        try: w.write_eof()
        except (OSError, RuntimeError): pass
def handler(target):
    async def h(cr, cw):
        try: sr, sw = await asyncio.open_connection(addr, target, limit=1 << 20)
        except OSError: cw.close(); return
        # when either side closes, close both: an LDAP connection has no half-closed state
        tasks = [asyncio.ensure_future(pump(cr, sw)), asyncio.ensure_future(pump(sr, cw))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(tasks, timeout=1)
        for t in tasks: t.cancel()
        cw.close(); sw.close()
    return h
async def main():
    loop = asyncio.get_running_loop(); stop = asyncio.Event()
    for s in (signal.SIGTERM, signal.SIGINT): loop.add_signal_handler(s, stop.set)
    for s, t in socks: await asyncio.start_server(handler(t), sock=s, limit=1 << 20)
    async def watch():
        while child.poll() is None: await asyncio.sleep(0.2)
        stop.set()
    w = asyncio.ensure_future(watch()); await stop.wait()
asyncio.run(main())
if child.poll() is None:
    child.terminate()
    try: child.wait(5)
    except subprocess.TimeoutExpired: child.kill()
