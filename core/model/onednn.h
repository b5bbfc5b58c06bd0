#pragma once
// Matrix products by oneDNN, which LibTorch brings along and takes by itself only for bf16: in f32 it runs at twice
// the rate of at::linear on processors that MKL does not know. They differ from at::linear by rounding only.

#include <ATen/core/Tensor.h>

namespace plumbline::onednn {

/// weight (out, in) on the CPU, strides of any kind -> the same in the order that product() reads fastest.
at::Tensor pack(const at::Tensor& weight);
/// x (N, in), weight (out, in), packed or plain (strides of any kind), of one type -> x weight^T, (N, out). Outside
/// autograd. What is not on the CPU goes to at::linear.
at::Tensor product(const at::Tensor& x, const at::Tensor& weight);

}  // namespace plumbline::onednn
