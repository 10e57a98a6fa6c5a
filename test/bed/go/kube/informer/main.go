// Command informer runs a client-go informer of one resource and tells what its handlers are given, one JSON document
// per line. With --reconcile it is a small controller too: it copies spec.value of each object to status.seen.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

type line struct {
	Type    string         `json:"type"`
	Key     string         `json:"key,omitempty"`
	Version string         `json:"version,omitempty"`
	Before  string         `json:"before,omitempty"`
	Object  map[string]any `json:"object,omitempty"`
	Message string         `json:"message,omitempty"`
}

var out = struct {
	sync.Mutex
	*json.Encoder
}{Encoder: json.NewEncoder(os.Stdout)}

func say(one line) {
	out.Lock()
	defer out.Unlock()
	if err := out.Encode(one); err != nil {
		os.Exit(1)
	}
}

func fail(err error) {
	if err != nil {
		say(line{Type: "failed", Message: err.Error()})
		os.Exit(1)
	}
}

func told(kind string, object *unstructured.Unstructured) line {
	key, _ := cache.MetaNamespaceKeyFunc(object)
	return line{Type: kind, Key: key, Version: object.GetResourceVersion(), Object: object.Object}
}

func handlers(enqueue func(any)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) {
			say(told("add", object.(*unstructured.Unstructured)))
			enqueue(object)
		},
		UpdateFunc: func(before, after any) {
			one := told("update", after.(*unstructured.Unstructured))
			one.Before = before.(*unstructured.Unstructured).GetResourceVersion()
			say(one)
			enqueue(after)
		},
		DeleteFunc: func(object any) {
			if unknown, lost := object.(cache.DeletedFinalStateUnknown); lost {
				say(line{Type: "delete", Key: unknown.Key})
				return
			}
			say(told("delete", object.(*unstructured.Unstructured)))
		},
	}
}

// reconcile writes what the API should say of one object, if it does not say so yet.
func reconcile(ctx context.Context, objects dynamic.ResourceInterface, known *unstructured.Unstructured) error {
	value, _, _ := unstructured.NestedString(known.Object, "spec", "value")
	seen, _, _ := unstructured.NestedString(known.Object, "status", "seen")
	if value == seen {
		return nil
	}
	next := known.DeepCopy()
	if err := unstructured.SetNestedField(next.Object, value, "status", "seen"); err != nil {
		return err
	}
	_, err := objects.UpdateStatus(ctx, next, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "empty: the service account of the pod")
	group := flag.String("group", "", "")
	version := flag.String("version", "v1", "")
	resource := flag.String("resource", "pods", "the plural")
	namespace := flag.String("namespace", metav1.NamespaceAll, "")
	labels := flag.String("labels", "", "a label selector")
	fields := flag.String("fields", "", "a field selector")
	write := flag.Bool("reconcile", false, "copy spec.value to status.seen")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	var config *rest.Config
	var err error
	if *kubeconfig == "" {
		config, err = rest.InClusterConfig()
	} else {
		config, err = clientcmd.BuildConfigFromFlags("", *kubeconfig)
	}
	fail(err)
	client, err := dynamic.NewForConfig(config)
	fail(err)

	gvr := schema.GroupVersionResource{Group: *group, Version: *version, Resource: *resource}
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, *namespace, func(o *metav1.ListOptions) {
		o.LabelSelector = *labels
		o.FieldSelector = *fields
	})
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](100*time.Millisecond, 5*time.Second))
	informer := factory.ForResource(gvr).Informer()
	fail(informer.SetWatchErrorHandler(func(_ *cache.Reflector, err error) {
		say(line{Type: "relist", Message: err.Error()})
	}))
	_, err = informer.AddEventHandler(handlers(func(object any) {
		if key, err := cache.MetaNamespaceKeyFunc(object); err == nil && *write {
			queue.Add(key)
		}
	}))
	fail(err)
	factory.Start(ctx.Done())
	if cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		say(line{Type: "synced"})
	}
	go func() {
		<-ctx.Done()
		queue.ShutDown()
	}()
	for {
		key, done := queue.Get()
		if done {
			return
		}
		object, exists, _ := informer.GetStore().GetByKey(key)
		if exists {
			known := object.(*unstructured.Unstructured)
			if err := reconcile(ctx, client.Resource(gvr).Namespace(known.GetNamespace()), known); err != nil {
				say(line{Type: "retry", Key: key, Message: err.Error()})
				queue.AddRateLimited(key)
			} else {
				queue.Forget(key)
			}
		}
		queue.Done(key)
	}
}
