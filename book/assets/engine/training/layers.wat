;; What a GPT does with its numbers besides multiplying matrices, and the way back through it: four
;; numbers of 32 bits at a time, row by row, where layers.js says. All places are in bytes, and rows
;; follow each other. layers-in-script.js has the same in JavaScript, and is easier to read.

(module
  (import "room" "memory" (memory 1))

  ;; Of the last four numbers of a row only those are changed that belong to it: $mask has ones in
  ;; their lanes, $put leaves the others alone.
  (func $mask (param $left i32) (result v128)
    (i32x4.lt_s (v128.const i32x4 0 1 2 3) (i32x4.splat (local.get $left))))

  (func $put (param $to i32) (param $x v128) (param $left i32)
    (if (i32.ge_s (local.get $left) (i32.const 4))
      (then (v128.store (local.get $to) (local.get $x)))
      (else (v128.store (local.get $to) (v128.bitselect
        (local.get $x) (v128.load (local.get $to)) (call $mask (local.get $left)))))))

  (func $take (param $from i32) (param $left i32) (result v128)  ;; 0 beyond the row
    (if (result v128) (i32.ge_s (local.get $left) (i32.const 4))
      (then (v128.load (local.get $from)))
      (else (v128.and (v128.load (local.get $from)) (call $mask (local.get $left))))))

  (func $sum (param $x v128) (result f32)
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $x)) (f32x4.extract_lane 1 (local.get $x)))
      (f32.add (f32x4.extract_lane 2 (local.get $x)) (f32x4.extract_lane 3 (local.get $x)))))

  ;; e to the power of x, from -87 to 88: 2 to a whole power, which is a matter of the exponent's
  ;; bits, times the series of what is left, at most ln 2 / 2 (coefficients of Cephes' expf).
  (func $exp (param $x v128) (result v128)
    (local $n v128) (local $y v128)
    (local.set $x (f32x4.max (f32x4.min (local.get $x) (f32x4.splat (f32.const 88))) (f32x4.splat (f32.const -87))))
    (local.set $n (f32x4.nearest (f32x4.mul (local.get $x) (f32x4.splat (f32.const 1.4426950408889634)))))
    (local.set $x (f32x4.sub (local.get $x) (f32x4.mul (local.get $n) (f32x4.splat (f32.const 0.693359375)))))
    (local.set $x (f32x4.add (local.get $x) (f32x4.mul (local.get $n) (f32x4.splat (f32.const 2.12194440e-4)))))
    (local.set $y (f32x4.splat (f32.const 1.9875691500e-4)))
    (local.set $y (f32x4.add (f32x4.mul (local.get $y) (local.get $x)) (f32x4.splat (f32.const 1.3981999507e-3))))
    (local.set $y (f32x4.add (f32x4.mul (local.get $y) (local.get $x)) (f32x4.splat (f32.const 8.3334519073e-3))))
    (local.set $y (f32x4.add (f32x4.mul (local.get $y) (local.get $x)) (f32x4.splat (f32.const 4.1665795894e-2))))
    (local.set $y (f32x4.add (f32x4.mul (local.get $y) (local.get $x)) (f32x4.splat (f32.const 1.6666665459e-1))))
    (local.set $y (f32x4.add (f32x4.mul (local.get $y) (local.get $x)) (f32x4.splat (f32.const 5.0000001201e-1))))
    (local.set $y (f32x4.add (f32x4.mul (f32x4.mul (local.get $y) (local.get $x)) (local.get $x))
      (f32x4.add (local.get $x) (f32x4.splat (f32.const 1)))))
    (f32x4.mul (local.get $y) (i32x4.shl
      (i32x4.add (i32x4.trunc_sat_f32x4_s (local.get $n)) (i32x4.splat (i32.const 127))) (i32.const 23))))

  ;; y = GELU(x), and its slope, by the tanh that GPT-2 takes.
  (func (export "gelu") (param $x i32) (param $y i32) (param $slope i32) (param $count i32)
    (local $v v128) (local $t v128) (local $cube v128) (local $one v128)
    (local.set $one (f32x4.splat (f32.const 1)))
    (loop $next
      (local.set $v (v128.load (local.get $x)))
      (local.set $cube (f32x4.mul (f32x4.splat (f32.const 0.044715)) (f32x4.mul (local.get $v) (local.get $v))))
      (local.set $t (call $exp (f32x4.mul (f32x4.splat (f32.const 1.5957691216057308))
        (f32x4.mul (local.get $v) (f32x4.add (local.get $one) (local.get $cube))))))
      (local.set $t (f32x4.sub (local.get $one)
        (f32x4.div (f32x4.splat (f32.const 2)) (f32x4.add (local.get $t) (local.get $one)))))
      (call $put (local.get $y) (f32x4.mul (f32x4.mul (f32x4.splat (f32.const 0.5)) (local.get $v))
        (f32x4.add (local.get $one) (local.get $t))) (local.get $count))
      (call $put (local.get $slope) (f32x4.mul (f32x4.splat (f32.const 0.5)) (f32x4.add
        (f32x4.add (local.get $one) (local.get $t))
        (f32x4.mul
          (f32x4.mul (local.get $v) (f32x4.sub (local.get $one) (f32x4.mul (local.get $t) (local.get $t))))
          (f32x4.mul (f32x4.splat (f32.const 0.7978845608028654))
            (f32x4.add (local.get $one) (f32x4.mul (f32x4.splat (f32.const 3)) (local.get $cube)))))))
        (local.get $count))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (local.set $slope (i32.add (local.get $slope) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 4)))
      (br_if $next (i32.gt_s (local.get $count) (i32.const 0)))))

  (func (export "multiply") (param $y i32) (param $x i32) (param $count i32)  ;; y = y x
    (loop $next
      (call $put (local.get $y) (f32x4.mul (v128.load (local.get $y)) (v128.load (local.get $x))) (local.get $count))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 4)))
      (br_if $next (i32.gt_s (local.get $count) (i32.const 0)))))

  (func $add (export "add") (param $y i32) (param $x i32) (param $count i32)  ;; y = y + x
    (loop $next
      (call $put (local.get $y) (f32x4.add (v128.load (local.get $y)) (v128.load (local.get $x))) (local.get $count))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 4)))
      (br_if $next (i32.gt_s (local.get $count) (i32.const 0)))))

  ;; to = to + the sum of all rows of x.
  (func (export "addRows") (param $to i32) (param $x i32) (param $rows i32) (param $width i32)
    (loop $next
      (call $add (local.get $to) (local.get $x) (local.get $width))
      (local.set $x (i32.add (local.get $x) (i32.mul (local.get $width) (i32.const 4))))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $next (i32.gt_s (local.get $rows) (i32.const 0)))))

  ;; A row of $n numbers becomes exp(scale (x - the largest)) times $share / their sum. The largest,
  ;; and the sum, are left at $told.
  (func $softmax (export "softmax") (param $at i32) (param $n i32) (param $scale f32) (param $share f32) (param $told i32)
    (local $from i32) (local $left i32) (local $x v128) (local $best v128) (local $total v128) (local $largest f32)
    (local.set $best (f32x4.splat (f32.load (local.get $at))))
    (local.set $from (local.get $at)) (local.set $left (local.get $n))
    (loop $next
      (local.set $x (v128.load (local.get $from)))
      (if (i32.lt_s (local.get $left) (i32.const 4)) (then
        (local.set $x (v128.bitselect (local.get $x) (local.get $best) (call $mask (local.get $left))))))
      (local.set $best (f32x4.pmax (local.get $best) (local.get $x)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 4)))
      (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
    (local.set $largest (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $best)) (f32x4.extract_lane 1 (local.get $best)))
      (f32.max (f32x4.extract_lane 2 (local.get $best)) (f32x4.extract_lane 3 (local.get $best)))))
    (local.set $from (local.get $at)) (local.set $left (local.get $n))
    (loop $next
      (local.set $x (call $exp (f32x4.mul (f32x4.splat (local.get $scale))
        (f32x4.sub (v128.load (local.get $from)) (f32x4.splat (local.get $largest))))))
      (call $put (local.get $from) (local.get $x) (local.get $left))
      (local.set $total (f32x4.add (local.get $total) (call $take (local.get $from) (local.get $left))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 4)))
      (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
    (f32.store (local.get $told) (local.get $largest))
    (f32.store offset=4 (local.get $told) (call $sum (local.get $total)))
    (local.set $x (f32x4.splat (f32.div (local.get $share) (call $sum (local.get $total)))))
    (local.set $from (local.get $at)) (local.set $left (local.get $n))
    (loop $next
      (call $put (local.get $from) (f32x4.mul (v128.load (local.get $from)) (local.get $x)) (local.get $left))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 4)))
      (br_if $next (i32.gt_s (local.get $left) (i32.const 0)))))

  ;; Of T rows of T scores the first 1, 2, 3 ... become weights, and what is in the future 0.
  (func (export "weigh") (param $at i32) (param $length i32) (param $scale f32) (param $told i32)
    (local $t i32)
    (loop $next
      (call $softmax (local.get $at) (i32.add (local.get $t) (i32.const 1)) (local.get $scale) (f32.const 1) (local.get $told))
      (memory.fill
        (i32.add (local.get $at) (i32.mul (i32.add (local.get $t) (i32.const 1)) (i32.const 4))) (i32.const 0)
        (i32.mul (i32.sub (i32.sub (local.get $length) (local.get $t)) (i32.const 1)) (i32.const 4)))
      (local.set $at (i32.add (local.get $at) (i32.mul (local.get $length) (i32.const 4))))
      (local.set $t (i32.add (local.get $t) (i32.const 1)))
      (br_if $next (i32.lt_s (local.get $t) (local.get $length)))))

  ;; The way back through it: d = w (d - the sum of d w) scale, row by row.
  (func (export "weighBack") (param $w i32) (param $d i32) (param $length i32) (param $scale f32)
    (local $rows i32) (local $k i32) (local $left i32) (local $total v128)
    (local.set $rows (local.get $length))
    (loop $next_row
      (local.set $total (v128.const f32x4 0 0 0 0))
      (local.set $k (i32.const 0)) (local.set $left (local.get $length))
      (loop $next
        (local.set $total (f32x4.add (local.get $total) (f32x4.mul
          (call $take (i32.add (local.get $w) (local.get $k)) (local.get $left))
          (call $take (i32.add (local.get $d) (local.get $k)) (local.get $left)))))
        (local.set $k (i32.add (local.get $k) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 4)))
        (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
      (local.set $total (f32x4.splat (call $sum (local.get $total))))
      (local.set $k (i32.const 0)) (local.set $left (local.get $length))
      (loop $next
        (call $put (i32.add (local.get $d) (local.get $k))
          (f32x4.mul (f32x4.splat (local.get $scale)) (f32x4.mul
            (v128.load (i32.add (local.get $w) (local.get $k)))
            (f32x4.sub (v128.load (i32.add (local.get $d) (local.get $k))) (local.get $total))))
          (local.get $left))
        (local.set $k (i32.add (local.get $k) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 4)))
        (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
      (local.set $w (i32.add (local.get $w) (i32.mul (local.get $length) (i32.const 4))))
      (local.set $d (i32.add (local.get $d) (i32.mul (local.get $length) (i32.const 4))))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $next_row (i32.gt_s (local.get $rows) (i32.const 0)))))

  ;; Rows of y = rows of x with mean 0 and variance 1, stretched by $weight and moved by $bias.
  ;; 1 / its deviation is kept for every row.
  (func (export "normalise") (param $x i32) (param $y i32) (param $scales i32)
    (param $weight i32) (param $bias i32) (param $rows i32) (param $width i32)
    (local $k i32) (local $left i32) (local $v v128) (local $mean v128) (local $scale v128) (local $share f32)
    (local.set $share (f32.div (f32.const 1) (f32.convert_i32_s (local.get $width))))
    (loop $next_row
      (local.set $mean (call $mean (local.get $x) (local.get $width)))
      (local.set $scale (v128.const f32x4 0 0 0 0))
      (local.set $k (i32.const 0)) (local.set $left (local.get $width))
      (loop $next
        (local.set $v (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $k))) (local.get $mean)))
        (if (i32.lt_s (local.get $left) (i32.const 4)) (then
          (local.set $v (v128.and (local.get $v) (call $mask (local.get $left))))))
        (local.set $scale (f32x4.add (local.get $scale) (f32x4.mul (local.get $v) (local.get $v))))
        (local.set $k (i32.add (local.get $k) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 4)))
        (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
      (f32.store (local.get $scales) (f32.div (f32.const 1) (f32.sqrt
        (f32.add (f32.mul (call $sum (local.get $scale)) (local.get $share)) (f32.const 1e-5)))))
      (local.set $scale (v128.load32_splat (local.get $scales)))
      (local.set $k (i32.const 0)) (local.set $left (local.get $width))
      (loop $next
        (call $put (i32.add (local.get $y) (local.get $k))
          (f32x4.add (v128.load (i32.add (local.get $bias) (local.get $k)))
            (f32x4.mul (v128.load (i32.add (local.get $weight) (local.get $k)))
              (f32x4.mul (local.get $scale)
                (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $k))) (local.get $mean)))))
          (local.get $left))
        (local.set $k (i32.add (local.get $k) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 4)))
        (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
      (local.set $x (i32.add (local.get $x) (i32.mul (local.get $width) (i32.const 4))))
      (local.set $y (i32.add (local.get $y) (i32.mul (local.get $width) (i32.const 4))))
      (local.set $scales (i32.add (local.get $scales) (i32.const 4)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $next_row (i32.gt_s (local.get $rows) (i32.const 0)))))

  (func $mean (param $x i32) (param $width i32) (result v128)  ;; of a row, four times
    (local $left i32) (local $total v128)
    (local.set $left (local.get $width))
    (loop $next
      (local.set $total (f32x4.add (local.get $total) (call $take (local.get $x) (local.get $left))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 4)))
      (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
    (f32x4.splat (f32.div (call $sum (local.get $total)) (f32.convert_i32_s (local.get $width)))))

  ;; The way back: the gradient of y at $dy becomes a part of those of x, of the weight and the bias.
  (func (export "normaliseBack") (param $x i32) (param $scales i32) (param $weight i32)
    (param $dweight i32) (param $dbias i32) (param $dy i32) (param $dx i32) (param $rows i32) (param $width i32)
    (local $k i32) (local $left i32) (local $normal v128) (local $d v128) (local $mean v128) (local $scale v128)
    (local $all v128) (local $along v128) (local $share v128)  ;; the means of the gradient, and of it times the row
    (local.set $share (f32x4.splat (f32.div (f32.const 1) (f32.convert_i32_s (local.get $width)))))
    (loop $next_row
      (local.set $mean (call $mean (local.get $x) (local.get $width)))
      (local.set $scale (v128.load32_splat (local.get $scales)))
      (local.set $all (v128.const f32x4 0 0 0 0)) (local.set $along (v128.const f32x4 0 0 0 0))
      (local.set $k (i32.const 0)) (local.set $left (local.get $width))
      (loop $next
        (local.set $normal (f32x4.mul (local.get $scale)
          (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $k))) (local.get $mean))))
        (local.set $d (call $take (i32.add (local.get $dy) (local.get $k)) (local.get $left)))
        (call $put (i32.add (local.get $dweight) (local.get $k)) (f32x4.add
          (v128.load (i32.add (local.get $dweight) (local.get $k))) (f32x4.mul (local.get $d) (local.get $normal)))
          (local.get $left))
        (call $put (i32.add (local.get $dbias) (local.get $k)) (f32x4.add
          (v128.load (i32.add (local.get $dbias) (local.get $k))) (local.get $d)) (local.get $left))
        (local.set $d (f32x4.mul (local.get $d) (v128.load (i32.add (local.get $weight) (local.get $k)))))
        (local.set $all (f32x4.add (local.get $all) (local.get $d)))
        (local.set $along (f32x4.add (local.get $along) (f32x4.mul (local.get $d) (local.get $normal))))
        (local.set $k (i32.add (local.get $k) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 4)))
        (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
      (local.set $all (f32x4.mul (local.get $share) (f32x4.splat (call $sum (local.get $all)))))
      (local.set $along (f32x4.mul (local.get $share) (f32x4.splat (call $sum (local.get $along)))))
      (local.set $k (i32.const 0)) (local.set $left (local.get $width))
      (loop $next
        (local.set $normal (f32x4.mul (local.get $scale)
          (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $k))) (local.get $mean))))
        (local.set $d (f32x4.mul (v128.load (i32.add (local.get $dy) (local.get $k)))
          (v128.load (i32.add (local.get $weight) (local.get $k)))))
        (call $put (i32.add (local.get $dx) (local.get $k)) (f32x4.add
          (v128.load (i32.add (local.get $dx) (local.get $k)))
          (f32x4.mul (local.get $scale) (f32x4.sub (f32x4.sub (local.get $d) (local.get $all))
            (f32x4.mul (local.get $normal) (local.get $along)))))
          (local.get $left))
        (local.set $k (i32.add (local.get $k) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 4)))
        (br_if $next (i32.gt_s (local.get $left) (i32.const 0))))
      (local.set $x (i32.add (local.get $x) (i32.mul (local.get $width) (i32.const 4))))
      (local.set $dy (i32.add (local.get $dy) (i32.mul (local.get $width) (i32.const 4))))
      (local.set $dx (i32.add (local.get $dx) (i32.mul (local.get $width) (i32.const 4))))
      (local.set $scales (i32.add (local.get $scales) (i32.const 4)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $next_row (i32.gt_s (local.get $rows) (i32.const 0)))))
)
