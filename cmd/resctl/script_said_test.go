package main

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// said [-to FILE] ARGS: resctl is run, and what it says joins the file said, as
// a terminal would show it, apart from what differs from run to run. It does not
// succeed; ! said: it does.
func said(ts *testscript.TestScript, succeeds bool, args []string) {
	file := "said"
	if args[0] == "-to" {
		file, args = args[1], args[2:]
	}
	err := ts.Exec("resctl", args...)
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		ts.Fatalf("resctl %s: %v", strings.Join(args, " "), err)
	}
	if (err == nil) != succeeds {
		ts.Fatalf("resctl %s: %v", strings.Join(args, " "), err)
	}
	text := "$ resctl " + strings.Join(args, " ") + "\n" + ts.ReadFile("stdout") + ts.ReadFile("stderr")
	if code := exitError; failed != nil && failed.ExitCode() != code {
		text += "exit code " + string(rune('0'+failed.ExitCode())) + "\n"
	}
	text = strings.TrimRight(normalized(strings.ReplaceAll(text, ts.Getenv("WORK"), "$WORK")), "\n") + "\n"
	f, err := os.OpenFile(ts.MkAbs(file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = f.WriteString(text)
	ts.Check(errors.Join(err, f.Close()))
}

// header FILE OFFSET NUMBER: these four bytes of a SQLite file are the number.
func header(ts *testscript.TestScript, _ bool, args []string) {
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	number, err := strconv.ParseUint(args[2], 10, 32)
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	binary.BigEndian.PutUint32(b[offset:], uint32(number))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}
