package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config/server"
)

// watchFlag are the flags for what a watch block says.
func watchFlag() map[string]string {
	return map[string]string{"watch.directory": "watch", "watch.interval": "watch-interval", "watch.settle": "watch-settle", "watch.max_cancel": "watch-max-cancel"}
}

// settingsText is the table of docs/server.md.
func settingsText(root *cobra.Command) string {
	serve, _, err := root.Find([]string{"serve"})
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString("| setting | flag | default | SIGHUP |\n|---|---|---|---|\n")
	row := func(name, flag string, again bool) {
		f := serve.Flags().Lookup(flag)
		if f == nil {
			f = serve.InheritedFlags().Lookup(flag)
		}
		if f == nil {
			return // the file says it, and is refused
		}
		def, taken := "", "restart"
		if f.DefValue != "" && f.DefValue != "[]" {
			def = "`" + f.DefValue + "`"
		}
		if again {
			taken = "taken"
		}
		fmt.Fprintf(&b, "| `%s` | `--%s` | %s | %s |\n", name, flag, def, taken)
	}
	for _, s := range fileSettings() {
		if s.name != "watch" {
			row(s.name, s.flag, s.again)
			continue
		}
		for _, name := range []string{"watch.directory", "watch.interval", "watch.settle", "watch.max_cancel"} {
			row(name, watchFlag()[name], s.again)
		}
	}
	return b.String()
}

// leaves are the settings of a struct of the server file, by their whole names.
func leaves(t reflect.Type, prefix string) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, in := f.Tag.Get("hcl"), f.Type
		if name == "" {
			continue // a label
		}
		for in.Kind() == reflect.Pointer || in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		if in.Kind() == reflect.Struct {
			names = append(names, leaves(in, prefix+name+".")...)
		} else {
			names = append(names, prefix+name)
		}
	}
	return names
}

// TestSettings: whatever a server file can say has a flag, or is part of what one
// flag says; and docs/server.md names it.
func TestSettings(t *testing.T) {
	together := map[string]string{"api.token.sha256": "api.token", "api.token.scope": "api.token", "api.token.workspaces": "api.token",
		"notify.secret": "notify.secret_file"} // a secret on a command line would be read by others
	known := []string{}
	for _, s := range fileSettings() {
		known = append(known, s.name)
	}
	for name := range watchFlag() {
		known = append(known, name)
	}
	doc := read(t, top+"docs/server.md")
	for _, name := range leaves(reflect.TypeFor[server.File](), "") {
		if !slices.Contains(known, name) && !slices.Contains(known, together[name]) {
			t.Errorf("%s has no flag", name)
		}
		if last := name[strings.LastIndex(name, ".")+1:]; !strings.Contains(doc, "`"+name+"`") && !strings.Contains(doc, "`"+last+"`") {
			t.Errorf("docs/server.md does not name %s", name)
		}
	}
}

// TestDocumentedServerFiles: what docs/server.md shows is right.
func TestDocumentedServerFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hook.key"), []byte("correct-horse-battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllStringSubmatch(read(t, top+"docs/server.md"), -1)
	for i, m := range all {
		if f, ds := server.Parse(filepath.Join(dir, "resctl.server.hcl"), []byte(m[1])); f == nil || ds.Len() > 0 {
			t.Errorf("server file %d: %v", i+1, ds.All())
		}
	}
	if len(all) == 0 {
		t.Error("there is none")
	}
}

// TestFill: what stands in a file is as if its flags had been given, and flags win.
func TestFill(t *testing.T) {
	src := "ocpp {\n  address = \"127.0.0.1:1\"\n  max_per_address = 7\n  max_message_rate = 8\n  tls {\n    cert_file = [\"a\", \"b\"]\n    key_file = [\"c\", \"d\"]\n  }\n}\nhorizon = \"3d\"\nretention = \"5d\"\n" +
		"watch \"w\" {\n  directory = \"dir\"\n  settle = \"1s\"\n}\n"
	file, ds := server.Parse("etc/x.hcl", []byte(src))
	if file == nil {
		t.Fatal(ds.All())
	}
	fill := func(args ...string) (f serveFlags, set *pflag.FlagSet) {
		set = pflag.NewFlagSet("serve", pflag.ContinueOnError)
		f.flags(set)
		set.String("state", "", "")
		if err := set.Parse(args); err != nil {
			t.Fatal(err)
		}
		if err := f.fill(set, file, flagsGiven(set)); err != nil {
			t.Fatal(err)
		}
		return f, set
	}
	f, _ := fill("--retention", "9d", "--watch-interval", "3s")
	if f.listen != "127.0.0.1:1" || f.security.perAddress != 7 || f.security.messageRate != 8 || f.rules.horizon != 72*time.Hour || f.rules.retention != 9*24*time.Hour || f.rules.move != 10*time.Minute {
		t.Errorf("%+v", f)
	}
	if want := []string{"etc/a", "etc/b"}; !slices.Equal(f.security.files.Certificates, want) {
		t.Error(f.security.files)
	}
	if want := (watchSettings{"w", "etc/dir", 3 * time.Second, time.Second, 10}); len(f.watch.filed) != 1 || f.watch.filed[0] != want {
		t.Error(f.watch.filed)
	}
	if f, _ = fill("--watch", "x=y", "--tls-cert", "z"); len(f.watch.filed) != 0 || !slices.Equal(f.security.files.Certificates, []string{"z"}) {
		t.Errorf("%+v", f)
	}
	for name := range flagsOf(func() *pflag.FlagSet { _, set := fill(); return set }()) {
		if name == "" {
			t.Error("a flag without a name")
		}
	}
	file.Notify = &server.Notify{URL: "https://x", Secret: "0123456789abcdef"}
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	if err := new(serveFlags).fill(set, file, nil); err == nil || !strings.Contains(err.Error(), "ocpp.address") {
		t.Error("a setting without its flag is refused", err)
	}
}

// TestCertificates: those that do not count now keep serve from starting, and soon
// is said in time.
func TestCertificates(t *testing.T) {
	now := time.Now()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(90 * 24 * time.Hour)},
		&x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.pem")
	other := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte("x")})
	if err := os.WriteFile(file, bytes.Join([][]byte{other, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		days       int
		mark, says string
	}{{-1, "error", "counts from"}, {1, "ok", "until"}, {80, "warning", "expires on"}, {91, "error", "expired on"}} {
		k := &checkup{taken: map[string]string{}}
		k.certificate("it", file, now.AddDate(0, 0, c.days), false)
		if len(k.Lines) != 1 || k.Lines[0].Mark != c.mark || !strings.Contains(k.Lines[0].Text, c.says) {
			t.Errorf("after %d days: %+v", c.days, k.Lines)
		}
	}
}
