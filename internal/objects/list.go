package objects

import "strings"

// Listing is which objects of a bucket List returns.
type Listing struct {
	Prefix    string
	Delimiter string // keys that have it after the prefix count as one common prefix; "": none do
	After     string // the key or common prefix after which the page begins
	Limit     int    // of objects and common prefixes together
}

// Page is a page of a bucket.
type Page struct {
	Objects  []Object
	Prefixes []string
	Next     string // what the next page begins after; "" on the last
}

// List returns a page of a bucket, in the order of keys. NoSuchBucket.
func (o *Objects) List(bucket string, l Listing) (Page, error) {
	if _, err := o.Bucket(bucket); err != nil {
		return Page{}, err
	}
	var p Page
	last, full := "", false
	for _, object := range o.objects.List(objectKey(bucket, l.Prefix)) {
		name := object.Key
		if l.Delimiter != "" {
			if i := strings.Index(name[len(l.Prefix):], l.Delimiter); i >= 0 {
				name = name[:len(l.Prefix)+i+len(l.Delimiter)]
			}
		}
		common := name != object.Key || l.Delimiter != "" && strings.HasSuffix(name, l.Delimiter) && len(name) > len(l.Prefix)
		if name <= l.After || common && name == last {
			continue
		}
		if full = len(p.Objects)+len(p.Prefixes) >= l.Limit; full {
			break
		}
		last = name
		if common {
			p.Prefixes = append(p.Prefixes, name)
		} else {
			p.Objects = append(p.Objects, object)
		}
	}
	if full && l.Limit > 0 {
		p.Next = last
	}
	return p, nil
}
