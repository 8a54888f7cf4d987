package channel

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The types of messages.
const (
	inputData     = "input_stream_data"
	outputData    = "output_stream_data"
	acknowledge   = "acknowledge"
	channelClosed = "channel_closed"
)

// Payload is what a message of a stream carries.
type Payload uint32

// The payloads. Those of encryption and of forwarded ports are not used.
const (
	Output            Payload = 1 // bytes of the terminal or of a stream
	Size              Payload = 3 // Window as JSON
	HandshakeRequest  Payload = 5
	HandshakeResponse Payload = 6
	HandshakeComplete Payload = 7
	Flag              Payload = 10 // a number of 32 bits
	Errors            Payload = 11 // bytes of standard error
	ExitCode          Payload = 12 // a decimal number
)

// FlagTerminate is the Flag by which a client ends a session.
const FlagTerminate = 2

// acknowledgeFlags mark an acknowledgement as first and last of its stream.
const acknowledgeFlags = 3

// ID is a message's UUID.
type ID [16]byte

// String returns it in the usual form.
func (id ID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// Message is one message.
type Message struct {
	Type    string
	Number  int64 // in its stream
	Flags   uint64
	ID      ID // zero: Marshal chooses one
	Created time.Time
	Kind    Payload
	Data    []byte
}

// The header, all numbers big-endian. The number of the payload's bytes follows
// it, and then the payload.
//
//	length 4 | type 32 | schema 4 | created 8 | number 8 | flags 8 | ID 16 | digest 32 | kind 4
const (
	headerBytes = 116
	typeBytes   = 32
)

// schema is the version of the messages' form.
const schema = 1

// Marshal returns the message as it is sent.
func (m *Message) Marshal() []byte {
	if m.ID == (ID{}) {
		_, _ = rand.Read(m.ID[:]) // never fails
		m.ID[6], m.ID[8] = m.ID[6]&0x0f|0x40, m.ID[8]&0x3f|0x80
	}
	out := make([]byte, 0, headerBytes+4+len(m.Data))
	out = binary.BigEndian.AppendUint32(out, headerBytes)
	out = append(out, m.Type...)
	out = append(out, bytes.Repeat([]byte{' '}, typeBytes-len(m.Type))...)
	out = binary.BigEndian.AppendUint32(out, schema)
	out = binary.BigEndian.AppendUint64(out, uint64(m.Created.UnixMilli()))
	out = binary.BigEndian.AppendUint64(out, uint64(m.Number))
	out = binary.BigEndian.AppendUint64(out, m.Flags)
	out = append(append(out, m.ID[8:]...), m.ID[:8]...)
	digest := sha256.Sum256(m.Data)
	out = append(out, digest[:]...)
	out = binary.BigEndian.AppendUint32(out, uint32(m.Kind))
	out = binary.BigEndian.AppendUint32(out, uint32(len(m.Data)))
	return append(out, m.Data...)
}

// errMessage is wrapped by the error of a message that is none.
var errMessage = errors.New("not a message of a session")

// Parse reads a message. Its Data is a part of data.
func Parse(data []byte) (Message, error) {
	if len(data) < headerBytes+4 {
		return Message{}, fmt.Errorf("%w: %d bytes", errMessage, len(data))
	}
	// A later version may have a longer header.
	header := binary.BigEndian.Uint32(data)
	if header < headerBytes || int64(header) > int64(len(data))-4 {
		return Message{}, fmt.Errorf("%w: a header of %d bytes", errMessage, header)
	}
	m := Message{
		Type:    string(bytes.Trim(data[4:36], "\x00 ")),
		Created: time.UnixMilli(int64(binary.BigEndian.Uint64(data[40:]))),
		Number:  int64(binary.BigEndian.Uint64(data[48:])),
		Flags:   binary.BigEndian.Uint64(data[56:]),
		Kind:    Payload(binary.BigEndian.Uint32(data[112:])),
		Data:    data[header+4:],
	}
	copy(m.ID[8:], data[64:72])
	copy(m.ID[:8], data[72:80])
	if n := binary.BigEndian.Uint32(data[header:]); int64(n) != int64(len(m.Data)) {
		return Message{}, fmt.Errorf("%w: %d bytes of payload, not %d", errMessage, len(m.Data), n)
	}
	if digest := sha256.Sum256(m.Data); len(m.Data) > 0 && !bytes.Equal(digest[:], data[80:112]) {
		return Message{}, fmt.Errorf("%w: the payload has another digest", errMessage)
	}
	return m, nil
}

// acknowledgement is the payload of an acknowledge.
type acknowledgement struct {
	Type       string `json:"AcknowledgedMessageType"`
	ID         string `json:"AcknowledgedMessageId"`
	Number     int64  `json:"AcknowledgedMessageSequenceNumber"`
	Sequential bool   `json:"IsSequentialMessage"`
}

// closing is the payload of a channel_closed.
type closing struct {
	MessageID     string `json:"MessageId"`
	CreatedDate   string
	DestinationID string `json:"DestinationId"`
	SessionID     string `json:"SessionId"`
	MessageType   string
	SchemaVersion int
	Output        string
}
