#pragma once
// What one rendering may cost: a template from the internet must not hang the program or fill its memory.

#include <cstddef>
#include <stdexcept>
#include <string>

namespace plumbline::jinja {

/// A template that cannot be read or rendered. `line` counts from 1; 0: not known yet.
class TemplateError : public std::runtime_error {
  public:
    explicit TemplateError(const std::string& what, int line = 0)
        : std::runtime_error(line > 0 ? "line " + std::to_string(line) + ": " + what : what),
          what_(what),
          line_(line) {}
    int line() const { return line_; }
    TemplateError at_line(int line) const { return line_ > 0 ? *this : TemplateError(what_, line); }

  private:
    std::string what_;
    int line_;
};

/// One rendering's allowance. Not for several threads.
class Work {
  public:
    /// Bytes written or looked at; an evaluated expression counts as step bytes.
    static constexpr std::size_t most = std::size_t{1} << 24, step = 32;
    static constexpr int deepest = 400;   // expressions, blocks and macros inside one another

    /// More, because what is given to the template is long.
    void allow(std::size_t bytes) { left_ += bytes; }
    void spend(std::size_t bytes) {
        if (bytes > left_) throw TemplateError("the template does too much: an endless loop or a huge text");
        left_ -= bytes;
    }

    class Depth {
      public:
        explicit Depth(Work& work) : work_(work) {
            if (++work.depth_ > deepest) {
                --work.depth_;
                throw TemplateError("blocks or macros lie too deep in one another");
            }
        }
        ~Depth() { --work_.depth_; }
        Depth(const Depth&) = delete;
        Depth& operator=(const Depth&) = delete;

      private:
        Work& work_;
    };

  private:
    std::size_t left_ = most;
    int depth_ = 0;
};

}   // namespace plumbline::jinja
