package main

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestEveryKey writes each form with all that it can say, as the view does it:
// every key of its schema is there, and no other. What really comes is held by
// the scripts.
func TestEveryKey(t *testing.T) {
	s, w := newSchemas(t), newWording(t)
	for name, f := range s.forms {
		var out bytes.Buffer
		v := &jsonView{out: newSheet(&out, false).Writer}
		if f.lines == nil {
			v.document(filled(w, reflect.TypeOf(f.value)).Interface())
		}
		for _, l := range f.lines {
			x := filled(w, reflect.TypeOf(l.value))
			x.FieldByName("Type").SetString(l.kind)
			v.encode(x.Interface())
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.hold(name, out.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if keys := s.unreached(); len(keys) > 0 {
		t.Errorf("the schemas have keys that nothing writes: %s", strings.Join(keys, ", "))
	}
}

// filled is a value of which nothing is left out.
func filled(w *wording, t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	fill(w, v, "")
	return v
}

func fill(w *wording, v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(w, v.Elem(), text)
	case reflect.String:
		if values := w.values[goName(v.Type())]; text == "" && values != nil {
			text = values[0].(string)
		}
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(time.Second)) // whatever it counts
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(w, v.Index(0), text)
	case reflect.Map:
		x := reflect.New(v.Type().Elem()).Elem()
		fill(w, x, "")
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("depot-a"), x)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(sunday))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct {
				fillField(w, v, f, v.Field(i))
			}
		}
	}
}

// fillField gives strings a value that the schema lets in.
func fillField(w *wording, owner reflect.Value, f reflect.StructField, v reflect.Value) {
	if f.Anonymous && !f.IsExported() && f.Type.Kind() == reflect.Struct {
		for i := range v.NumField() {
			if inner := f.Type.Field(i); inner.IsExported() {
				fillField(w, v, inner, v.Field(i))
			}
		}
		return
	}
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	text := map[string]string{"format_version": formatVersion, "code": "RC101", "codes": "RC101"}[key]
	if values := words()[goName(owner.Type())+"."+key]; values != nil {
		text = reflect.ValueOf(values[0]).String()
	}
	if text == "" && f.Type.Kind() == reflect.String && w.values[goName(f.Type)] == nil {
		text = "text"
	}
	fill(w, v, text)
}
