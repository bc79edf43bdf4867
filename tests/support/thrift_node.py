"""A compute node that answers heartbeats, with Debian's python3-thrift: the
service is written down by hand as its compiler would make it."""

import socket
import threading

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TMessageType, TType
from thrift.transport.TTransport import TBufferedTransport, TTransportException
from thrift.transport.TSocket import TSocket

# id: (type, name)
STATUS = {1: (TType.I32, "status_code"), 2: (TType.LIST, "error_msgs")}
INFO = {1: (TType.I32, "be_port"), 2: (TType.I32, "http_port"),
        3: (TType.I32, "be_rpc_port"), 4: (TType.I32, "brpc_port"),
        5: (TType.STRING, "version"), 6: (TType.I64, "be_start_time"),
        7: (TType.STRING, "be_node_role"), 8: (TType.BOOL, "is_shutdown"),
        1000: (TType.I64, "fragment_executing_count"),
        1001: (TType.I64, "fragment_last_active_time")}


class Node:
    """Listens on address:port until closed; `heard` are the masters that
    asked. answer(node, protocol) writes the reply."""

    def __init__(self, address, port=0, info=None, status=0, answer=None):
        self.info = {"be_port": 9060, "http_port": 8040, **(info or {})}
        self.status, self.answer = status, answer or Node.reply
        self.heard = []
        self.socket = socket.create_server((address, port))
        self.address, self.port = self.socket.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection],
                             daemon=True).start()

    def _serve(self, connection):
        transport = TSocket()
        transport.setHandle(connection)
        protocol = TBinaryProtocol(TBufferedTransport(transport))
        try:
            name, kind, self.seq = protocol.readMessageBegin()
            assert (name, kind) == ("heartbeat", TMessageType.CALL)
            self.heard.append(read_struct(protocol)[1])
            protocol.readMessageEnd()
            self.answer(self, protocol)
            protocol.trans.flush()
        except (TTransportException, OSError):
            pass
        finally:
            connection.close()

    def reply(self, protocol):
        protocol.writeMessageBegin("heartbeat", TMessageType.REPLY, self.seq)
        protocol.writeStructBegin("result")
        protocol.writeFieldBegin("success", TType.STRUCT, 0)
        protocol.writeStructBegin("THeartbeatResult")
        for fid, write in ((1, self._status), (2, self._info)):
            protocol.writeFieldBegin("", TType.STRUCT, fid)
            write(protocol)
            protocol.writeFieldEnd()
        protocol.writeFieldStop()
        protocol.writeStructEnd()
        protocol.writeFieldEnd()
        protocol.writeFieldStop()
        protocol.writeStructEnd()
        protocol.writeMessageEnd()

    def _status(self, protocol):
        protocol.writeStructBegin("TStatus")
        protocol.writeFieldBegin("status_code", TType.I32, 1)
        protocol.writeI32(self.status)
        protocol.writeFieldEnd()
        protocol.writeFieldBegin("error_msgs", TType.LIST, 2)
        protocol.writeListBegin(TType.STRING, 2)
        protocol.writeString("one")
        protocol.writeString("two")
        protocol.writeListEnd()
        protocol.writeFieldEnd()
        protocol.writeFieldStop()
        protocol.writeStructEnd()

    def _info(self, protocol):
        write = {TType.I32: protocol.writeI32, TType.I64: protocol.writeI64,
                 TType.STRING: protocol.writeString,
                 TType.BOOL: protocol.writeBool}
        protocol.writeStructBegin("TBackendInfo")
        for fid, (kind, name) in INFO.items():
            if name in self.info:
                protocol.writeFieldBegin(name, kind, fid)
                write[kind](self.info[name])
                protocol.writeFieldEnd()
        protocol.writeFieldStop()
        protocol.writeStructEnd()


def read_struct(protocol):
    """Any struct as {field id: value}."""
    read = {TType.I32: protocol.readI32, TType.I64: protocol.readI64,
            TType.STRING: protocol.readString,
            TType.STRUCT: lambda: read_struct(protocol)}
    out = {}
    protocol.readStructBegin()
    while True:
        _, kind, fid = protocol.readFieldBegin()
        if kind == TType.STOP:
            break
        out[fid] = read[kind]()
        protocol.readFieldEnd()
    protocol.readStructEnd()
    return out
