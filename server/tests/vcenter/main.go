// A stand-in for a vCenter or an ESXi: govmomi's simulator, an independent implementation of the web service, with what
// Debian's version of it lacks put in. It says where it listens in one line of JSON and ends when its input does.
//
// Put in here: MACs that differ, guest addresses, ports of distributed switches with what is plugged into them (the
// simulator's have neither), port mirroring sessions (the simulator drops them) with the faults that a vCenter's types name,
// pages of RetrievePropertiesEx and WaitForUpdatesEx (the simulator answers all at once), TLS with an authority of its own,
// another version of the interface, lost answers, and the end of sessions. What it cannot show is how a real vCenter behaves when it is loaded, and
// how late the run-time state of its ports is.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
)

const (
	username = "reader@vsphere.local"
	password = "canary-password"
)

var method = regexp.MustCompile(`Body>\s*<(?:\w+:)?(\w+)`)

// gate stands before the simulator: it counts calls by method and knows whose sessions were ended.
type gate struct {
	next http.Handler
	mu   sync.Mutex
	// Calls by method.
	calls map[string]int
	// The first few bodies by method.
	asked map[string][]string
	// Cookies seen, and whether their session was ended.
	ended map[string]bool
	// The version of the interface that is said to be spoken, unless it is the simulator's own.
	api string
	// Whether the next change of a switch gets no answer: `before` or `after` it was made.
	lose string
}

// most of a method's bodies that are kept; of changes, which tests look through, all they make.
func kept(method string) int {
	if method == "ReconfigureDvs_Task" {
		return 256
	}
	return 8
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if g.api != "" && r.URL.Path == "/sdk/vimServiceVersions.xml" {
		fmt.Fprintf(w, versions, g.api)
		return
	}
	cookie, lose := r.Header.Get("Cookie"), ""
	g.mu.Lock()
	if found := method.FindSubmatch(body); found != nil {
		name := string(found[1])
		g.calls[name]++
		if len(g.asked[name]) < kept(name) {
			g.asked[name] = append(g.asked[name], string(body))
		}
		if name == "ReconfigureDvs_Task" {
			lose, g.lose = g.lose, ""
		}
	}
	if cookie != "" && g.ended[cookie] {
		r.Header.Del("Cookie")
	} else if cookie != "" {
		g.ended[cookie] = false
	}
	g.mu.Unlock()
	if lose == "before" {
		panic(http.ErrAbortHandler)
	}
	g.next.ServeHTTP(&counted{ResponseWriter: w, gate: g, lost: lose == "after"}, r)
	if lose == "after" {
		panic(http.ErrAbortHandler)
	}
}

const versions = `<?xml version="1.0" encoding="UTF-8"?>
<namespaces version="1.0"><namespace><name>urn:vim25</name><version>%s</version>
<priorVersions><version>6.5</version><version>6.0</version><version>5.5</version></priorVersions></namespace></namespaces>
`

// counted counts what is answered.
type counted struct {
	http.ResponseWriter
	gate *gate
	lost bool
}

func (c *counted) Write(bytes []byte) (int, error) {
	if c.lost {
		return len(bytes), nil
	}
	c.gate.mu.Lock()
	c.gate.calls["bytes"] += len(bytes)
	c.gate.mu.Unlock()
	return c.ResponseWriter.Write(bytes)
}

func (g *gate) endSessions() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for cookie := range g.ended {
		g.ended[cookie] = true
	}
}

// certificate makes an authority, and a certificate of it for the loopback.
func certificate() (tls.Certificate, []byte) {
	sign := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		check(err)
		if signer == nil {
			signer = key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		check(err)
		return der, key
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA of the stand-in"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	root, rootKey := sign(authority, authority, nil)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "vcenter"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
	}
	der, key := sign(leaf, authority, rootKey)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root})
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	return listener
}

// model makes what the simulator is to hold: clusters and VMs, or one ESXi.
func model(esx bool) *simulator.Model {
	m := simulator.VPX()
	if esx {
		m = simulator.ESX()
	} else {
		m.Host, m.ClusterHost, m.Portgroup, m.Datastore = 1, 3, 2, 2
	}
	m.Machine = 2
	check(m.Create())
	return m
}

func main() {
	esx := flag.Bool("esx", false, "one ESXi instead of a vCenter")
	machines := flag.Int("machines", 0, "how many VMs there are to be at least")
	page := flag.Int("page", 100, "how many objects an answer has at most")
	api := flag.String("api", "", "the version of the interface that is said to be spoken")
	flag.Parse()

	m := model(*esx)
	m.Service.Listen = &url.URL{User: url.UserPassword(username, password), Host: "127.0.0.1:0"}
	inner := m.Service.NewServer()
	g := &gate{next: inner.Config.Handler, api: *api, calls: map[string]int{}, asked: map[string][]string{}, ended: map[string]bool{}}
	world := &world{}
	world.furnish(*machines, int32(*page))

	pair, authority := certificate()
	plain, secure, control := listen(), listen(), listen()
	go func() { check(http.Serve(plain, g)) }()
	go func() {
		check(http.Serve(tls.NewListener(secure, &tls.Config{Certificates: []tls.Certificate{pair}}), g))
	}()
	go func() { check(http.Serve(control, world.control(g))) }()

	sum := sha256.Sum256(pair.Certificate[0])
	check(json.NewEncoder(os.Stdout).Encode(map[string]string{
		"plain":       "http://" + plain.Addr().String(),
		"secure":      "https://" + secure.Addr().String(),
		"control":     "http://" + control.Addr().String(),
		"authority":   string(authority),
		"fingerprint": fmt.Sprintf("%X", sum[:]),
		"username":    username,
		"password":    password,
	}))
	_, err := io.Copy(io.Discard, os.Stdin)
	check(err)
	inner.Close()
	m.Remove()
}
