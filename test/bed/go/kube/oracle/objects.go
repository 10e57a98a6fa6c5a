package main

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/randfill"
)

// kinds are those whose bodies stock node agents send, and those that a UnitApp is made of.
var kinds = map[string]func() runtime.Object{
	"apps/v1 DaemonSet":                                func() runtime.Object { return &appsv1.DaemonSet{} },
	"apps/v1 Deployment":                               func() runtime.Object { return &appsv1.Deployment{} },
	"apps/v1 StatefulSet":                              func() runtime.Object { return &appsv1.StatefulSet{} },
	"authentication.k8s.io/v1 TokenRequest":            func() runtime.Object { return &authenticationv1.TokenRequest{} },
	"authentication.k8s.io/v1 TokenReview":             func() runtime.Object { return &authenticationv1.TokenReview{} },
	"authorization.k8s.io/v1 LocalSubjectAccessReview": func() runtime.Object { return &authorizationv1.LocalSubjectAccessReview{} },
	"authorization.k8s.io/v1 SubjectAccessReview":      func() runtime.Object { return &authorizationv1.SubjectAccessReview{} },
	"coordination.k8s.io/v1 Lease":                     func() runtime.Object { return &coordinationv1.Lease{} },
	"events.k8s.io/v1 Event":                           func() runtime.Object { return &eventsv1.Event{} },
	"policy/v1 Eviction":                               func() runtime.Object { return &policyv1.Eviction{} },
	"storage.k8s.io/v1 CSINode":                        func() runtime.Object { return &storagev1.CSINode{} },
	"v1 ConfigMap":                                     func() runtime.Object { return &corev1.ConfigMap{} },
	"v1 DeleteOptions":                                 func() runtime.Object { return &metav1.DeleteOptions{} },
	"v1 Event":                                         func() runtime.Object { return &corev1.Event{} },
	"v1 Node":                                          func() runtime.Object { return &corev1.Node{} },
	"v1 Pod":                                           func() runtime.Object { return &corev1.Pod{} },
	"v1 Service":                                       func() runtime.Object { return &corev1.Service{} },
}

// newObject makes one of kinds, its type set.
func newObject(kind string) runtime.Object {
	object := kinds[kind]()
	space := bytes.IndexByte([]byte(kind), ' ')
	object.GetObjectKind().SetGroupVersionKind(schema.FromAPIVersionAndKind(kind[:space], kind[space+1:]))
	return object
}

var codec = protobuf.NewSerializer(nil, nil)

func encodeObject(object runtime.Object) []byte {
	var out bytes.Buffer
	if err := codec.Encode(object, &out); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func moment(c randfill.Continue, unit time.Duration) time.Time {
	return time.Unix(c.Int63n(1<<32), 0).Add(time.Duration(c.Int63n(int64(time.Second/unit))) * unit).UTC()
}

// filler makes values that survive a round trip through JSON.
func filler(seed int64) *randfill.Filler {
	return randfill.New().RandSource(rand.NewSource(seed)).NilChance(0.3).NumElements(1, 2).Funcs(
		func(*metav1.TypeMeta, randfill.Continue) {},
		func(s *string, c randfill.Continue) { *s = []string{"", "a", "grün", "x/y z"}[c.Intn(4)] },
		func(t *metav1.Time, c randfill.Continue) { t.Time = moment(c, time.Second) },
		func(t *metav1.MicroTime, c randfill.Continue) { t.Time = moment(c, time.Microsecond) },
		func(q *resource.Quantity, c randfill.Continue) {
			*q = *resource.NewMilliQuantity(c.Int63n(1e9), resource.BinarySI)
		},
		func(v *intstr.IntOrString, c randfill.Continue) {
			*v = intstr.FromInt32(int32(c.Intn(1 << 16)))
			if c.Bool() {
				*v = intstr.FromString("http")
			}
		},
		func(f *metav1.FieldsV1, c randfill.Continue) { f.SetRawString(`{"f:a":{"k:{\"b\":1}":{}}}`) },
		func(n *int64, c randfill.Continue) { *n = c.Int63n(1<<53) - 1<<52 },
	)
}

func asJSON(object any) json.RawMessage {
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return text
}

// encode answers an object, by chance from the seed in `text`, in protobuf and, read from that, in JSON.
func encode(in request) answer {
	object := newObject(in.Other)
	seed, _ := strconv.ParseInt(in.Text, 10, 64)
	typeMeta := object.GetObjectKind().GroupVersionKind()
	filler(seed).Fill(object)
	object.GetObjectKind().SetGroupVersionKind(typeMeta)
	data := encodeObject(object)
	out := decode(request{Other: in.Other, Data: data})
	out.Data = data
	return out
}

// decode answers what protobuf bytes mean.
func decode(in request) answer {
	object := newObject(in.Other)
	typeMeta := object.GetObjectKind().GroupVersionKind()
	var envelope runtime.Unknown
	if len(in.Data) < 4 || envelope.Unmarshal(in.Data[4:]) != nil {
		return answer{Error: true}
	}
	if err := object.(interface{ Unmarshal([]byte) error }).Unmarshal(envelope.Raw); err != nil {
		return answer{Error: true}
	}
	object.GetObjectKind().SetGroupVersionKind(typeMeta)
	return answer{Object: asJSON(object)}
}

// merge answers the object after a strategic merge patch.
func merge(in request) answer {
	merged, err := strategicpatch.StrategicMergePatch(in.Object, in.Patch, kinds[in.Other]())
	if err != nil {
		return answer{Error: true}
	}
	return answer{Object: merged}
}

// diff answers the strategic merge patch that kubelet and controllers would send.
func diff(in request) answer {
	patch, err := strategicpatch.CreateTwoWayMergePatch(in.Object, in.Patch, kinds[in.Other]())
	if err != nil {
		return answer{Error: true}
	}
	return answer{Object: patch}
}
