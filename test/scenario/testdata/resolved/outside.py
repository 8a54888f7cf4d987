"""A name server that knows www.example.org, and writes down what it is asked."""
import socket
import struct
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
asked = open(sys.argv[2], "a", buffering=1)
while True:
    q, client = server.recvfrom(4096)
    labels, end = [], 12
    while q[end]:
        labels.append(q[end + 1 : end + 1 + q[end]].decode())
        end += q[end] + 1
    kind = struct.unpack(">H", q[end + 1 : end + 3])[0]
    name = ".".join(labels).lower()
    asked.write(name + "\n")
    answer, code = b"", 0
    if name != "www.example.org":
        code = 3
    elif kind == 1:
        answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + bytes([192, 0, 2, 80])
    server.sendto(q[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 1 if answer else 0, 0, 0) + q[12 : end + 5] + answer, client)
