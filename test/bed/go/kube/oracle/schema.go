package main

import (
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// special types have a form of their own in JSON or in protobuf.
var special = map[reflect.Type]string{
	reflect.TypeFor[intstr.IntOrString](): "IntOrString",
	reflect.TypeFor[metav1.FieldsV1]():    "Raw",
	reflect.TypeFor[metav1.MicroTime]():   "MicroTime",
	reflect.TypeFor[metav1.Time]():        "Time",
	reflect.TypeFor[resource.Quantity]():  "Quantity",
}

var scalars = map[reflect.Kind]string{
	reflect.Bool: "bool", reflect.Int32: "int", reflect.Int64: "int", reflect.String: "string",
}

// types collects a line for each struct that is reachable, by its name.
type types map[string]string

func (t types) nameOf(typ reflect.Type) string {
	if typ.Kind() == reflect.Pointer {
		return t.nameOf(typ.Elem())
	}
	if name, ok := special[typ]; ok {
		return name
	}
	if name, ok := scalars[typ.Kind()]; ok {
		return name
	}
	if typ == reflect.TypeFor[[]byte]() {
		return "bytes"
	}
	switch typ.Kind() {
	case reflect.Map:
		return "{" + t.valueOf(typ.Elem()) + "}"
	case reflect.Slice:
		return "[" + t.valueOf(typ.Elem()) + "]"
	case reflect.Struct:
		return t.structOf(typ)
	}
	panic(typ.String())
}

// valueOf names what is in a list or map; a list in there is a message of its own.
func (t types) valueOf(typ reflect.Type) string {
	if typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.String {
		return "Strings"
	}
	return t.nameOf(typ)
}

func (t types) structOf(typ reflect.Type) string {
	parts := strings.Split(typ.PkgPath(), "/")
	name := strings.Join(parts[len(parts)-2:], ".") + "." + typ.Name()
	if _, ok := t[name]; ok {
		return name
	}
	t[name] = ""
	var fields []string
	for i := range typ.NumField() {
		if field := t.fieldOf(typ.Field(i)); field != "" {
			fields = append(fields, field)
		}
	}
	t[name] = strings.Join(fields, " ")
	return name
}

// fieldOf is `name=number:type`, `?` behind it if zero is left out of JSON, then `|strategy|key` of its merge.
func (t types) fieldOf(field reflect.StructField) string {
	number := strings.Split(field.Tag.Get("protobuf"), ",")
	if len(number) < 2 {
		return ""
	}
	json := strings.Split(field.Tag.Get("json"), ",")
	line := fmt.Sprintf("%s=%s:%s", json[0], number[1], t.nameOf(field.Type))
	_, isScalar := scalars[field.Type.Kind()]
	if isScalar && len(json) > 1 && json[1] == "omitempty" {
		line += "?"
	}
	strategy, key := field.Tag.Get("patchStrategy"), field.Tag.Get("patchMergeKey")
	if strategy != "" || key != "" {
		line += "|" + strategy + "|" + key
	}
	return line
}

// tables answers the types of all kinds that the oracle knows.
func tables(request) answer {
	lines, roots := types{}, map[string]string{}
	for kind, make := range kinds {
		roots[kind] = lines.structOf(reflect.TypeOf(make()).Elem())
	}
	return answer{Object: asJSON(map[string]any{"roots": roots, "types": lines})}
}
