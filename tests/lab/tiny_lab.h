#pragma once
// The tiny model opened for tests of the lab, and what errors must look like.

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/lab/machine.h"
#include "core/model/language_model.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline::testing {

inline EngineOptions one_thread(bool sample_ahead = true) {
    EngineOptions options;
    options.threads = 1;
    options.sample_ahead = sample_ahead;
    return options;
}

/// The tiny model, written and opened once a process.
class TinyModel {
  public:
    static const std::string& path() { return plain().path_; }
    static std::shared_ptr<const LanguageModel> opened() { return plain().model_; }
    /// One whose EOS is likely (that far the opposite of its random row): most replies end within a few
    /// tokens, which policy gradients need.
    static const std::string& ending_path() { return ending().path_; }
    /// The one of them whose file is at `path`.
    static std::shared_ptr<const LanguageModel> opened_at(const std::string& path) {
        return path == ending_path() ? ending().model_ : plain().model_;
    }

  private:
    explicit TinyModel(float eos_scale) : path_((folder_ / "tiny.gguf").string()) {
        const GgufWriter writer = tiny_model(5);
        std::string bytes = writer.bytes();
        const TinySizes sizes;
        constexpr std::size_t eos = 2;  // its row of the tied embedding, the file's first tensor
        for (std::size_t i = 0; i < static_cast<std::size_t>(sizes.hidden); ++i) {
            char* place =
                bytes.data() + writer.places().at("data") + (eos * sizes.hidden + i) * sizeof(float);
            float value = 0;
            std::memcpy(&value, place, sizeof value);
            value *= eos_scale;
            std::memcpy(place, &value, sizeof value);
        }
        write_whole(path_, bytes);
        use_threads(1);
        model_ = LanguageModel::open(path_, Precision::f32, {}, {});
    }
    static const TinyModel& plain() {
        static const TinyModel model(1);
        return model;
    }
    static const TinyModel& ending() {
        static const TinyModel model(-8);
        return model;
    }
    TempFolder folder_;
    std::string path_;
    std::shared_ptr<const LanguageModel> model_;
};

/// The text of the exception that `call` throws; empty when it throws none.
template <class Call>
std::string error_from(Call call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

/// `<operation>: <what>; <what to do>`.
inline void expect_error_form(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << "'" << text << "' does not say '" << part << "'";
    const std::size_t operation = text.find(": ");
    EXPECT_NE(operation, std::string::npos) << text;
    EXPECT_NE(text.find("; ", operation), std::string::npos) << "it does not say what to do: " << text;
}

}  // namespace plumbline::testing
