package registry

import (
	"encoding/json"
	"errors"
	"net/http"

	"neargate/internal/model"
)

// ImagesPath is where the images that came from elsewhere are managed.
const ImagesPath = "/_neargate/images"

// ImagesAnswer is the answer of ImagesPath: images that are there, have been
// loaded, or are gone.
type ImagesAnswer struct {
	Images []PulledImage `json:"images"`
}

// ImagesFault is the answer to what cannot be done.
type ImagesFault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	// Tag is all that the image has of a name, where Code is ImageNameMissing.
	Tag string `json:"tag,omitempty"`
}

// ImageNameMissing is the code for an archive whose image has no name.
const ImageNameMissing = "ImageNameMissing"

// ImagesHandler manages the images that came from elsewhere, for whoever has a
// token of the registry:
//
//	GET    /_neargate/images             lists them
//	POST   /_neargate/images[?name=NAME] loads the archive that is the body
//	DELETE /_neargate/images?image=NAME  removes one
//	POST   /_neargate/images/prune[?all=true] removes those not in use
func (r *Registry) ImagesHandler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(*http.Request) ([]PulledImage, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
			defer r.survive(w, req)
			if !r.authorize(w, req) {
				return
			}
			images, err := do(req)
			r.answerImages(w, images, err)
		})
	}
	handle("GET "+ImagesPath, func(*http.Request) ([]PulledImage, error) { return r.Pulled(), nil })
	handle("POST "+ImagesPath, func(req *http.Request) ([]PulledImage, error) {
		return r.Load(req.Context(), req.Body, req.URL.Query().Get("name"))
	})
	handle("DELETE "+ImagesPath, func(req *http.Request) ([]PulledImage, error) {
		img, err := r.RemovePulled(req.Context(), req.URL.Query().Get("image"))
		return []PulledImage{img}, err
	})
	handle("POST "+ImagesPath+"/prune", func(req *http.Request) ([]PulledImage, error) {
		return r.PrunePulled(req.Context(), req.URL.Query().Get("all") == "true")
	})
	return mux
}

func (r *Registry) answerImages(w http.ResponseWriter, images []PulledImage, err error) {
	w.Header().Set("Content-Type", "application/json")
	var answer any = ImagesAnswer{images}
	if err != nil {
		e, ok := errors.AsType[*model.Error](err)
		if !ok {
			r.log.Error("manage images", "error", err)
			e = model.Errorf(model.Internal, "ServerException", "internal error")
		}
		status := map[model.Kind]int{model.Invalid: 400, model.NotFound: 404, model.Conflict: 409}[e.Kind]
		if status == 0 {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		fault := ImagesFault{Code: e.Code, Message: e.Msg}
		if n, ok := errors.AsType[*nameless](err); ok {
			fault.Tag = n.tag
		}
		answer = fault
	}
	_ = json.NewEncoder(w).Encode(answer) // an error is the client's going away
}
